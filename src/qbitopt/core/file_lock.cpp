#include "qbitopt/core/file_lock.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

namespace qbitopt {
namespace {

// Of the open file, not of the process: a child that inherits it holds it too.
int lock_command(int descriptor, int command, struct flock& lock) {
  lock = {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;  // all of it
  return ::fcntl(descriptor, command, &lock);
}

// Some network file systems have no locks, by the way they are mounted.
bool has_no_locks(int error) { return error == ENOLCK || error == ENOSYS || error == EOPNOTSUPP; }

}  // namespace

std::optional<FileLock> FileLock::try_lock(const std::filesystem::path& file) {
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor < 0) throw std::system_error(errno, std::generic_category(), file.string());
  FileLock lock(descriptor);
  struct flock wanted;
  if (lock_command(descriptor, F_OFD_SETLK, wanted) == 0 || has_no_locks(errno)) return lock;
  if (errno == EAGAIN || errno == EACCES) return std::nullopt;
  throw std::system_error(errno, std::generic_category(), file.string());
}

bool FileLock::is_held(const std::filesystem::path& file) {
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0 && errno == ENOENT) return false;
  if (descriptor < 0) throw std::system_error(errno, std::generic_category(), file.string());
  const FileLock opened(descriptor);
  struct flock found;
  if (lock_command(descriptor, F_OFD_GETLK, found) == 0) return found.l_type != F_UNLCK;
  if (has_no_locks(errno)) return false;
  throw std::system_error(errno, std::generic_category(), file.string());
}

FileLock::FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

FileLock::~FileLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void FileLock::write(const std::string& content) {
  if (::ftruncate(descriptor_, 0) != 0 ||
      ::pwrite(descriptor_, content.data(), content.size(), 0) < 0) {
    throw std::system_error(errno, std::generic_category(), "lock file");
  }
}

}  // namespace qbitopt
