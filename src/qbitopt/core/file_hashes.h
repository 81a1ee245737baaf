#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

namespace qbitopt {

// SHA-256 of files. A file is read again only if it is another one than last time or was changed
// since: by its inode, its size, and the time of its last change, which no program can set.
class FileHashes {
 public:
  // A file that was changed less than `settled` ago is read again, as that time has a coarse clock.
  explicit FileHashes(std::chrono::nanoseconds settled = std::chrono::seconds(2))
      : settled_(settled) {}

  // Throws InputError if the file cannot be read.
  const std::string& sha256_of(const std::filesystem::path& file);

 private:
  struct State {
    dev_t device = 0;
    ino_t inode = 0;
    int64_t bytes = -1;   // there is no such file
    int64_t changed = 0;  // ns since 1970
    bool operator==(const State&) const = default;
  };
  struct Known {
    State state;
    std::string sha256;
  };
  static State state_of(const std::filesystem::path& file);

  std::chrono::nanoseconds settled_;
  std::map<std::filesystem::path, Known> known_;
};

}  // namespace qbitopt
