#pragma once

#include <filesystem>
#include <string_view>

namespace qbitopt {

// A file's bytes, read-only, without a copy of them: the kernel reads what is looked at. The file
// must not become shorter meanwhile.
class MappedFile {
 public:
  // Throws InputError that names the file: not there, a folder, no ordinary file (a pipe, a
  // device), or not to be read.
  explicit MappedFile(const std::filesystem::path& file);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::string_view bytes() const { return {begin_, size_}; }

 private:
  const char* begin_ = nullptr;
  size_t size_ = 0;
};

}  // namespace qbitopt
