#include "qbitopt/core/text_file.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <limits>

#include "qbitopt/core/encoding.h"
#include "qbitopt/core/error.h"

namespace qbitopt {
namespace {

[[noreturn]] void refuse(const std::string& name, const std::string& why) {
  throw InputError("cannot read " + name + ": " + why);
}

// Up to the end, or until there are more than `limit` bytes.
std::string read_stream(std::istream& stream, const std::string& name, size_t limit) {
  constexpr size_t kPiece = 1 << 16;
  std::string text;
  while (stream && text.size() <= limit) {
    const size_t size = text.size();
    text.resize(size + kPiece);
    stream.read(text.data() + size, kPiece);
    text.resize(size + static_cast<size_t>(stream.gcount()));
  }
  if (text.size() <= limit && !stream.eof()) refuse(name, std::strerror(errno));
  return text;
}

std::ifstream opened(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  // A folder opens, but cannot be read.
  std::error_code none;
  if (std::filesystem::is_directory(file, none)) refuse(file.string(), "it is a folder");
  return stream;
}

}  // namespace

std::string read_text(const std::filesystem::path& file, size_t limit) {
  std::ifstream stream = opened(file);
  return read_text(stream, file.string(), limit);
}

std::string read_text(std::istream& stream, const std::string& name, size_t limit) {
  std::string text = read_stream(stream, name, limit);
  if (text.size() > limit) refuse(name, "it has more than " + std::to_string(limit >> 20) + " MB");
  expect_utf8(text, name);
  return text;
}

std::string read_bytes(const std::filesystem::path& file) {
  std::ifstream stream = opened(file);
  return read_stream(stream, file.string(), std::numeric_limits<size_t>::max());
}

}  // namespace qbitopt
