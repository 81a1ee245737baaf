// Reads bytes as an IDX file, as they are and packed by gzip. Ends the program if a mistake in them
// is not an InputError, or if there are more or fewer values than the dimensions promise.
#include <zlib.h>

#include <cstdio>
#include <vector>

#include "files/fuzz/memory_file.h"
#include "qbitopt/core/error.h"
#include "qbitopt/data/idx_file.h"

namespace qbitopt {
namespace {

std::vector<uint8_t> packed(const uint8_t* data, size_t size) {
  z_stream stream = {};
  deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY);
  std::vector<uint8_t> bytes(deflateBound(&stream, size));
  stream.next_in = const_cast<uint8_t*>(data);
  stream.avail_in = static_cast<uInt>(size);
  stream.next_out = bytes.data();
  stream.avail_out = static_cast<uInt>(bytes.size());
  deflate(&stream, Z_FINISH);
  bytes.resize(stream.total_out);
  deflateEnd(&stream);
  return bytes;
}

void try_idx(const uint8_t* data, size_t size) {
  const MemoryFile file(data, size);
  try {
    const ByteTensor tensor = read_idx_gz(file.path());
    size_t promised = 1;
    for (const int64_t length : tensor.shape) promised *= static_cast<size_t>(length);
    if (promised == tensor.values.size()) return;
    std::fprintf(stderr, "%zu values; promised are %zu\n", tensor.values.size(), promised);
    std::abort();
  } catch (const InputError&) {
  }
}

}  // namespace
}  // namespace qbitopt

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  qbitopt::try_idx(data, size);
  const std::vector<uint8_t> file = qbitopt::packed(data, size);
  qbitopt::try_idx(file.data(), file.size());
  return 0;
}
