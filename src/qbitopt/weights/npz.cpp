#include "qbitopt/weights/npz.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>

#include "qbitopt/weights/zip_directory.h"

namespace qbitopt {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";

[[noreturn]] void refuse_npy(const std::string& why) {
  throw BadWeights("holds no array of numpy: " + why);
}

// The type of an array's "descr", as safetensors calls it.
std::string npy_type(std::string_view descr) {
  static const std::map<std::string_view, const char*> types = {
      {"<f4", "F32"}, {"<f8", "F64"}, {"<f2", "F16"}, {"|u1", "U8"},   {"|i1", "I8"},
      {"<i2", "I16"}, {"<i4", "I32"}, {"<i8", "I64"}, {"|b1", "BOOL"}, {"<u1", "U8"}};
  const auto known = types.find(descr);
  if (known != types.end()) return known->second;
  refuse_npy(
      fmt::format("its values are of type '{}'; expected little-endian floats, integers with "
                  "a sign, uint8 or bool (array.astype('<f4'))",
                  descr));
}

// The header is a dictionary in Python: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }
class NpyHeader {
 public:
  explicit NpyHeader(std::string_view text) : text_(text) {
    expect('{');
    while (!accept('}')) {
      const std::string_view key = quoted();
      expect(':');
      if (key == "descr") {
        descr = quoted();
      } else if (key == "fortran_order") {
        fortran_order = truth();
      } else if (key == "shape") {
        shape = sizes();
      } else {
        refuse_npy(fmt::format("its header has an entry '{}'", key.substr(0, 40)));
      }
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip_spaces();
    if (!text_.empty()) refuse_npy("its header goes on after its end");
    if (!descr || !fortran_order || !shape)
      refuse_npy("its header lacks one of descr, fortran_order and shape");
  }

  std::optional<std::string_view> descr;
  std::optional<bool> fortran_order;
  std::optional<std::vector<int64_t>> shape;

 private:
  void skip_spaces() {
    while (!text_.empty() && (text_[0] == ' ' || text_[0] == '\n')) text_.remove_prefix(1);
  }

  bool accept(char letter) {
    skip_spaces();
    if (text_.empty() || text_[0] != letter) return false;
    text_.remove_prefix(1);
    return true;
  }

  void expect(char letter) {
    if (!accept(letter)) refuse_npy(fmt::format("its header lacks a '{}'", letter));
  }

  std::string_view quoted() {
    expect('\'');
    const size_t end = text_.find('\'');
    if (end == std::string_view::npos) refuse_npy("a word of its header has no end");
    const std::string_view word = text_.substr(0, end);
    text_.remove_prefix(end + 1);
    return word;
  }

  bool truth() {
    skip_spaces();
    for (const auto& [word, value] : {std::pair{"True", true}, std::pair{"False", false}}) {
      if (!text_.starts_with(word)) continue;
      text_.remove_prefix(std::strlen(word));
      return value;
    }
    refuse_npy("fortran_order is neither True nor False");
  }

  std::vector<int64_t> sizes() {
    std::vector<int64_t> sizes;
    expect('(');
    while (!accept(')')) {
      skip_spaces();
      int64_t size = 0;
      const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), size);
      if (error != std::errc() || size < 0) refuse_npy("its shape is no list of sizes");
      text_.remove_prefix(static_cast<size_t>(end - text_.data()));
      accept('L');  // as Python 2 wrote them
      sizes.push_back(size);
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return sizes;
  }

  std::string_view text_;
};

std::vector<int64_t> strides_of(const std::vector<int64_t>& shape, bool is_fortran) {
  std::vector<int64_t> strides(shape.size());
  int64_t stride = 1;
  for (size_t i = 0; i < shape.size(); ++i) {
    const size_t axis = is_fortran ? i : shape.size() - 1 - i;
    strides[axis] = stride;
    if (__builtin_mul_overflow(stride, std::max<int64_t>(1, shape[axis]), &stride))
      refuse_npy("its shape has more values than can be counted");
  }
  return strides;
}

}  // namespace

StoredTensor read_npy(std::string_view file) {
  if (!file.starts_with(kMagic)) refuse_npy("it does not begin as a .npy file");
  const size_t version = file.size() > 6 ? static_cast<unsigned char>(file[6]) : 0;
  if (version < 1 || version > 3) refuse_npy(fmt::format("its format has version {}", version));
  const size_t length_bytes = version == 1 ? 2 : 4, begin = kMagic.size() + 2 + length_bytes;
  if (file.size() < begin) refuse_npy("it is cut off");
  uint32_t length = 0;
  std::memcpy(&length, file.data() + kMagic.size() + 2, length_bytes);
  if (length > file.size() - begin) refuse_npy("its header is cut off");
  const NpyHeader header(file.substr(begin, length));
  StoredTensor tensor{.type = npy_type(*header.descr),
                      .shape = *header.shape,
                      .strides = strides_of(*header.shape, *header.fortran_order),
                      .values = {0, file.size()}};
  const auto header_bytes = static_cast<int64_t>(begin + length);
  const int64_t bytes = value_bytes().at(tensor.type);
  // numpy pads the header to a multiple of 16 bytes.
  if (header_bytes % bytes != 0) refuse_npy("its header has an odd length");
  tensor.offset = header_bytes / bytes;
  expect_within_values("the array", tensor);
  return tensor;
}

TensorIndex index_npz(std::string_view file) {
  constexpr std::string_view kEnding = ".npy";
  TensorIndex index;
  for (const auto& [name, entry] : read_zip_directory(file)) {
    if (!name.ends_with(kEnding)) continue;
    const std::string array = name.substr(0, name.size() - kEnding.size());
    if (!entry.is_plain && !entry.content.packed_size)
      throw BadWeights("is packed in a way that is not read; write it with numpy.savez");
    try {
      const std::string_view plain =
          entry.is_plain ? file.substr(entry.content.begin, entry.content.size) : "";
      StoredTensor tensor =
          entry.is_plain ? read_npy(plain) : read_npy(unpack(file, entry.content));
      tensor.values = entry.content;
      index.emplace(array, std::move(tensor));
    } catch (const BadWeights& error) {
      throw BadWeights(fmt::format("is damaged in '{}': it {}", array, error.what()));
    }
  }
  return index;
}

}  // namespace qbitopt
