#pragma once

#include <filesystem>
#include <optional>

namespace qbitopt {

// A kernel lock on a file: held until destroyed, or until the process is gone, however it dies. On a
// file system without locks it keeps nobody out.
class FileLock {
 public:
  // Creates the file if it is not there. Nothing if someone else holds it. Throws std::system_error
  // if the file cannot be opened.
  static std::optional<FileLock> try_lock(const std::filesystem::path& file);
  // True if someone holds the lock of this file; false if there is no such file. Asks without taking
  // it, and needs no permission to write. Throws std::system_error if the file cannot be read.
  static bool is_held(const std::filesystem::path& file);

  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;
  ~FileLock();

  // Replaces the file's content: information for people, not part of the lock.
  void write(const std::string& content);
  // Of the open file. A child process that inherits it holds the lock too.
  int descriptor() const { return descriptor_; }

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_ = -1;
};

}  // namespace qbitopt
