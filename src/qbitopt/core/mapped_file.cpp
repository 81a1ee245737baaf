#include "qbitopt/core/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "qbitopt/core/error.h"

namespace qbitopt {

MappedFile::MappedFile(const std::filesystem::path& file) {
  const auto fail = [&](const std::string& what) {
    throw InputError((file.empty() ? "''" : file.string()) + ": " + what);
  };
  const auto reason = [] { return std::string(std::strerror(errno)); };
  std::error_code ignored;
  if (std::filesystem::is_directory(file, ignored)) fail("is a folder; give the file in it");
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) fail(errno == ENOENT ? "no such file" : "cannot be read: " + reason());
  struct stat status = {};
  const bool is_known = ::fstat(descriptor, &status) == 0;
  void* begin = nullptr;
  if (is_known && S_ISREG(status.st_mode) && status.st_size > 0) {
    size_ = static_cast<size_t>(status.st_size);
    begin = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, descriptor, 0);
  }
  const std::string why = begin == MAP_FAILED ? reason() : "";
  ::close(descriptor);
  if (!is_known || !S_ISREG(status.st_mode)) fail("is no ordinary file, but a pipe or a device");
  if (begin == MAP_FAILED) fail("cannot be read: " + why);
  begin_ = static_cast<const char*>(begin);
}

MappedFile::~MappedFile() {
  if (begin_) ::munmap(const_cast<char*>(begin_), size_);
}

}  // namespace qbitopt
