#include "qbitopt/files/readable_file.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace qbitopt {
namespace fs = std::filesystem;

std::string fault_of_file(const fs::path& file) {
  std::error_code error;
  switch (fs::status(file, error).type()) {
    case fs::file_type::regular:
      return ::access(file.c_str(), R_OK) == 0
                 ? ""
                 : std::string("cannot be opened: ") + std::strerror(errno);
    case fs::file_type::directory:
      return "is a folder";
    case fs::file_type::not_found:
    case fs::file_type::none: {
      std::error_code no_link;
      if (fs::is_symlink(fs::symlink_status(file, no_link))) return "is a link that leads nowhere";
      const bool is_missing = !error || error == std::errc::no_such_file_or_directory ||
                              error == std::errc::not_a_directory;
      return is_missing ? "no such file" : "cannot be opened: " + error.message();
    }
    default:
      return "is no regular file";
  }
}

}  // namespace qbitopt
