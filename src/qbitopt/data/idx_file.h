#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace qbitopt {

// Bytes with a shape, as the MNIST family of data sets stores images and labels.
struct ByteTensor {
  std::vector<int64_t> shape;
  std::vector<uint8_t> values;  // row-major
};

// Reads a gzip-compressed IDX file of bytes: two zero bytes, type 8, number of dimensions, each
// dimension as 32 bits big-endian, values. Throws InputError that names the file, what was found
// and what was expected: no such file, not gzip, damaged (gzip's checksum), not IDX, longer or
// shorter than its dimensions say.
ByteTensor read_idx_gz(const std::filesystem::path& file);

}  // namespace qbitopt
