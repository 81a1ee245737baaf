// Reads any bytes as what torch.save writes: the zip file's directory, the pickle, the tensors.
#include "qbitopt/weights/torch_file.h"
#include "weights/fuzz/expect_sound.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view file(reinterpret_cast<const char*>(data), size);
  try {
    qbitopt::expect_sound(qbitopt::index_torch_file(file), size);
  } catch (const qbitopt::BadWeights&) {
  }
  return 0;
}
