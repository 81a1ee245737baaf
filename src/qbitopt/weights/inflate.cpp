#include "qbitopt/weights/inflate.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <limits>

#include "qbitopt/weights/tensor_index.h"

namespace qbitopt {
namespace {

// What a byte can hold at most: 258 bytes of output cost two bits ("Maximum Compression Factor",
// zlib Technical Details).
constexpr uint64_t kMostPerByte = 1032;

class Inflater {
 public:
  Inflater() {
    if (inflateInit2(&stream_, -MAX_WBITS) != Z_OK) throw std::bad_alloc();
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  // False unless the data ends where the output does.
  bool fill(std::string_view from, std::string& into) {
    constexpr size_t kMost = std::numeric_limits<uInt>::max();
    uint64_t read = 0, written = 0;
    for (int status = Z_OK; status == Z_OK;) {
      // zlib promises not to write to its input.
      stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(from.data())) + read;
      stream_.avail_in = static_cast<uInt>(std::min<size_t>(kMost, from.size() - read));
      stream_.next_out = reinterpret_cast<Bytef*>(into.data()) + written;
      stream_.avail_out = static_cast<uInt>(std::min<size_t>(kMost, into.size() - written));
      const uInt in = stream_.avail_in, out = stream_.avail_out;
      status = ::inflate(&stream_, Z_NO_FLUSH);
      read += in - stream_.avail_in;
      written += out - stream_.avail_out;
      if (status == Z_STREAM_END) return written == into.size();
    }
    return false;
  }

 private:
  z_stream stream_ = {};
};

}  // namespace

std::string inflate(std::string_view deflated, uint64_t size) {
  const auto fail = [&] {
    throw BadWeights(fmt::format(
        "is a damaged zip file: {} compressed bytes do not unpack to the {} that it says",
        deflated.size(), size));
  };
  if (size / kMostPerByte > deflated.size()) fail();
  std::string bytes(size, '\0');
  if (!Inflater().fill(deflated, bytes)) fail();
  return bytes;
}

}  // namespace qbitopt
