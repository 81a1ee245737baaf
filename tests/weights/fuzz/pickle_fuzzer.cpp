// Reads any bytes as the pickle of a file whose zip directory is sound, which torch_file_fuzzer rarely keeps.
#include "qbitopt/weights/torch_file.h"
#include "weights/files.h"
#include "weights/fuzz/expect_sound.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string pickle(reinterpret_cast<const char*>(data), size);
  const std::string file = qbitopt::weight_files::zip_file(
      {{"net/data.pkl", pickle}, {"net/data/0", std::string(24, 0)}});
  try {
    qbitopt::expect_sound(qbitopt::index_torch_file(file), file.size());
  } catch (const qbitopt::BadWeights&) {
  }
  return 0;
}
