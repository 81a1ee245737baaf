#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace qbitopt {

// A file in the making, of any size. A regular file appears as a whole or not at all: it is written
// beside its final place, flushed to the disk and renamed; through a symbolic link it takes the
// place of what the link points to. A device, a pipe or an open file (/dev/stdout) is written
// straight into, and stays what it is. Every function throws std::system_error with the file's
// name.
class OutputFile {
 public:
  explicit OutputFile(const std::filesystem::path& file);
  // Without commit() a regular file stays as it was.
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;

  void write(std::string_view bytes);
  void commit();

 private:
  void flush();

  std::filesystem::path file_;       // as it was named
  std::filesystem::path place_;      // behind all links
  std::filesystem::path temporary_;  // empty: written straight into
  int descriptor_ = -1;
  std::string waiting_;
};

}  // namespace qbitopt
