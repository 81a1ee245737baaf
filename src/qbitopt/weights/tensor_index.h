#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace qbitopt {

// A stretch of a file that holds the values of one or several tensors.
struct StoredValues {
  uint64_t begin = 0, size = 0;   // bytes of the file
  std::optional<uint32_t> crc32;  // of zip files, unless it was not computed
  // Set: the file has so many bytes, which DEFLATE packed; they unpack to `size` (see inflate.h).
  std::optional<uint64_t> packed_size = {};
};

// Where and how a file keeps one tensor: value (i, j) is the one at offset + i * strides[0] + j *
// strides[1] of the stretch. All of it lies within the stretch, and the stretch within the file.
struct StoredTensor {
  std::string type;                     // as safetensors calls it: "F32"; one of value_bytes()
  std::vector<int64_t> shape, strides;  // strides in values
  int64_t offset = 0;                   // in values
  StoredValues values;

  int64_t elements() const;  // product of the shape
};

// The tensors of a file by name, without their values. Names are those of the network itself: what
// wrappers put before them is gone (see wrappers.h).
using TensorIndex = std::map<std::string, StoredTensor>;

// A file that holds no weights, or not whole. The text goes on from the file's name: "is cut off:
// its tensors need 70 bytes; the file has 66".
class BadWeights : public std::runtime_error {
 public:
  // `for_python`: PyTorch may be able to read it.
  explicit BadWeights(const std::string& text, bool for_python = false)
      : std::runtime_error(text), for_python_(for_python) {}

  // With the way to convert the file into `converted`, if there is one.
  std::string advice(const std::filesystem::path& file,
                     const std::filesystem::path& converted) const;

 private:
  bool for_python_;
};

// Reads what safetensors.h and torch_file.h describe; the content decides, not a name. Trusts
// nothing in it: time and memory stay within a small multiple of the file's size. Throws
// BadWeights.
TensorIndex index_tensors(std::string_view file);
// Likewise, with all names as they are written, those of wrappers included.
TensorIndex index_tensors_as_written(std::string_view file);

// Bytes of a value of each type that is read: {"F32", 4}, ...
const std::map<std::string, int64_t>& value_bytes();

// For readers of one kind of file. Throws BadWeights unless the type is known and all values lie
// within `values`. `name`: for the text.
void expect_within_values(const std::string& name, const StoredTensor& tensor);

}  // namespace qbitopt
