// Decodes a file as a PNG, its checksums put right: see try_decoding().
#include <zlib.h>

#include <cstring>

#include "data/fuzz/try_decoding.h"

namespace qbitopt {
namespace {

uint32_t number_at(const std::vector<uint8_t>& file, size_t at) {
  return uint32_t{file[at]} << 24 | uint32_t{file[at + 1]} << 16 | uint32_t{file[at + 2]} << 8 |
         file[at + 3];
}

// A chunk is its length, name, content and the sum of name and content.
void mend_checksums(std::vector<uint8_t>& file) {
  constexpr size_t kSignature = 8, kAround = 12;
  for (size_t at = kSignature; at + kAround <= file.size();) {
    const size_t length = number_at(file, at);
    if (length > file.size() - at - kAround) return;
    const auto sum = crc32(0, file.data() + at + 4, static_cast<uInt>(length + 4));
    for (size_t i = 0; i < 4; ++i)
      file[at + 8 + length + i] = static_cast<uint8_t>(sum >> (24 - 8 * i));
    at += kAround + length;
  }
}

}  // namespace
}  // namespace qbitopt

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::vector<uint8_t> file(data, data + size);
  if (size >= 8) std::memcpy(file.data(), "\x89PNG\r\n\x1a\n", 8);
  qbitopt::mend_checksums(file);
  qbitopt::try_decoding(file);
  return 0;
}
