#include "qbitopt/data/idx_file.h"

#include <zlib.h>

#include <fstream>
#include <functional>
#include <iterator>
#include <numeric>
#include <string>

#include "qbitopt/core/error.h"

namespace qbitopt {
namespace {

using Bytes = std::vector<uint8_t>;

[[noreturn]] void refuse(const std::filesystem::path& file, const std::string& what) {
  throw InputError(file.string() + ": " + what);
}

Bytes read_bytes(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) {
    refuse(file, std::filesystem::exists(file) ? "cannot be read" : "no such file");
  }
  return Bytes(std::istreambuf_iterator<char>(stream), {});
}

Bytes inflate_gzip(const std::filesystem::path& file, const Bytes& compressed) {
  if (compressed.size() < 18 || compressed[0] != 0x1f || compressed[1] != 0x8b) {
    refuse(file, "is not gzip (expected a file that begins with the bytes 1f 8b)");
  }
  z_stream stream = {};
  inflateInit2(&stream, MAX_WBITS + 16);  // + 16: gzip's header and checksum
  stream.next_in = const_cast<uint8_t*>(compressed.data());
  stream.avail_in = static_cast<uInt>(compressed.size());
  Bytes content(std::max<size_t>(compressed.size(), 4096));
  int status = Z_OK;
  while (status == Z_OK) {
    if (stream.total_out == content.size()) content.resize(content.size() * 2);
    stream.next_out = content.data() + stream.total_out;
    stream.avail_out = static_cast<uInt>(content.size() - stream.total_out);
    status = inflate(&stream, Z_NO_FLUSH);
  }
  content.resize(stream.total_out);
  const std::string reason = stream.msg ? stream.msg : "it ends too early";
  inflateEnd(&stream);
  if (status != Z_STREAM_END)
    refuse(file,
           "is damaged after " + std::to_string(content.size()) + " bytes of content: " + reason);
  return content;
}

}  // namespace

ByteTensor read_idx_gz(const std::filesystem::path& file) {
  const Bytes content = inflate_gzip(file, read_bytes(file));
  constexpr uint8_t kUnsignedByte = 8;
  if (content.size() < 4 || content[0] != 0 || content[1] != 0 || content[2] != kUnsignedByte ||
      content[3] == 0) {
    refuse(file,
           "is not an IDX file of bytes (expected it to begin with 00 00 08 and the number of "
           "dimensions)");
  }
  ByteTensor tensor;
  const size_t header = 4 + 4 * size_t{content[3]};
  if (content.size() < header) refuse(file, "ends within its IDX header");
  for (size_t at = 4; at < header; at += 4) {
    tensor.shape.push_back(int64_t{content[at]} << 24 | content[at + 1] << 16 |
                           content[at + 2] << 8 | content[at + 3]);
  }
  const int64_t expected =
      std::accumulate(tensor.shape.begin(), tensor.shape.end(), int64_t{1}, std::multiplies<>());
  const int64_t found = static_cast<int64_t>(content.size() - header);
  if (found != expected) {
    refuse(file, "holds " + std::to_string(found) + " values; its dimensions promise " +
                     std::to_string(expected));
  }
  tensor.values.assign(content.begin() + static_cast<std::ptrdiff_t>(header), content.end());
  return tensor;
}

}  // namespace qbitopt
