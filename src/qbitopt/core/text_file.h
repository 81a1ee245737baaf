#pragma once

#include <cstddef>
#include <filesystem>
#include <istream>
#include <string>

namespace qbitopt {

inline constexpr size_t kLargestText = 16 << 20;  // bytes: far more than people write
inline constexpr size_t kLargestData = 1 << 30;   // bytes: what programs write

// The whole text of a file. Throws InputError if it cannot be read, has more than `limit` bytes, as
// a device without end has, or is not UTF-8.
std::string read_text(const std::filesystem::path& file, size_t limit = kLargestText);

// The same of a stream; `name` is for the message.
std::string read_text(std::istream& stream, const std::string& name, size_t limit = kLargestText);

// All bytes of a file, which may be a pipe. Throws InputError if it cannot be read.
std::string read_bytes(const std::filesystem::path& file);

}  // namespace qbitopt
