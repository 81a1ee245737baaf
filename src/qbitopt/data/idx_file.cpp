#include "qbitopt/data/idx_file.h"

#include <fmt/format.h>
#include <zlib.h>

#include <fstream>
#include <functional>
#include <iterator>
#include <numeric>
#include <string>

#include "qbitopt/core/error.h"
#include "qbitopt/files/readable_file.h"

namespace qbitopt {
namespace {

using Bytes = std::vector<uint8_t>;

constexpr size_t kMostBytes = 1 << 30;  // the largest of the family has 411 MB unpacked

[[noreturn]] void refuse(const std::filesystem::path& file, const std::string& what) {
  throw InputError(file.string() + ": " + what);
}

Bytes read_whole(const std::filesystem::path& file) {
  if (const std::string fault = fault_of_file(file); !fault.empty()) refuse(file, fault);
  if (std::filesystem::file_size(file) > kMostBytes) refuse(file, "has more than a gigabyte");
  std::ifstream stream(file, std::ios::binary);
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
    if (stream.total_out > kMostBytes) break;
    if (stream.total_out == content.size()) content.resize(content.size() * 2);
    stream.next_out = content.data() + stream.total_out;
    stream.avail_out = static_cast<uInt>(content.size() - stream.total_out);
    status = inflate(&stream, Z_NO_FLUSH);
  }
  const bool is_endless = stream.total_out > kMostBytes;
  content.resize(stream.total_out);
  const std::string reason = stream.msg ? stream.msg : "it ends too early";
  inflateEnd(&stream);
  if (is_endless) refuse(file, "unpacks to more than a gigabyte");
  if (status != Z_STREAM_END)
    refuse(file,
           "is damaged after " + std::to_string(content.size()) + " bytes of content: " + reason);
  return content;
}

}  // namespace

ByteTensor read_idx_gz(const std::filesystem::path& file) {
  const Bytes content = inflate_gzip(file, read_whole(file));
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
  const double promised =  // exact below 2^53, and what is above is refused
      std::accumulate(tensor.shape.begin(), tensor.shape.end(), 1.0, std::multiplies<>());
  const size_t found = content.size() - header;
  if (static_cast<double>(found) != promised) {
    refuse(file, fmt::format("holds {} values; its dimensions promise {:.0f}", found, promised));
  }
  tensor.values.assign(content.begin() + static_cast<std::ptrdiff_t>(header), content.end());
  return tensor;
}

}  // namespace qbitopt
