// Decodes a file as a JPEG: see try_decoding().
#include "data/fuzz/try_decoding.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::vector<uint8_t> file(data, data + size);
  if (size >= 2) file[0] = 0xff, file[1] = 0xd8;
  qbitopt::try_decoding(file);
  return 0;
}
