// Reads any bytes as a safetensors file.
#include "weights/fuzz/expect_sound.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view file(reinterpret_cast<const char*>(data), size);
  if (file.starts_with("PK")) return 0;  // torch_file_fuzzer's
  try {
    qbitopt::expect_sound(qbitopt::index_tensors(file), size);
  } catch (const qbitopt::BadWeights&) {
  }
  return 0;
}
