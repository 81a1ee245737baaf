#include "qbitopt/core/output_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <optional>
#include <system_error>
#include <utility>

namespace qbitopt {
namespace {

namespace fs = std::filesystem;

constexpr int kMostLinks = 40;  // as Linux follows
constexpr size_t kBuffer = 1 << 16;

[[noreturn]] void fail(int error, const char* what, const fs::path& file) {
  throw std::system_error(error, std::generic_category(),
                          std::string("cannot ") + what + " " + file.string());
}

// Follows symbolic links, also to where no file is yet; those in /proc, which are open files, stay.
fs::path behind_links(const fs::path& file) {
  fs::path place = file;
  for (int links = 0; links < kMostLinks; ++links) {
    std::error_code error;
    const fs::path folder =
        fs::canonical(place.has_parent_path() ? place.parent_path() : ".", error);
    if (error) return place;  // opening it says why
    if (folder.string().starts_with("/proc/")) return folder / place.filename();
    if (!fs::is_symlink(place, error)) return place;
    place = folder / fs::read_symlink(place);
  }
  fail(ELOOP, "write", file);
}

// Of an open file of this process, as /dev/stdout means one.
std::optional<int> open_descriptor(const fs::path& place) {
  const fs::path own = "/proc/" + std::to_string(::getpid()) + "/fd";
  const std::string name = place.filename();
  if (place.parent_path() != own || name.empty() || name.size() > 6 ||
      name.find_first_not_of("0123456789") != std::string::npos)
    return std::nullopt;
  return std::stoi(name);
}

fs::path temporary_beside(const fs::path& place) {
  static std::atomic<int> count{0};
  return place.parent_path() /
         (".qbitopt." + std::to_string(::getpid()) + "." + std::to_string(++count) + ".tmp");
}

// A file that is replaced keeps its owner, if we may set it, and its permissions.
void take_over(const struct stat& before, int descriptor) {
  [[maybe_unused]] const int ignored = ::fchown(descriptor, before.st_uid, before.st_gid);
  ::fchmod(descriptor, before.st_mode & 07777);
}

}  // namespace

OutputFile::OutputFile(const fs::path& file) : file_(file), place_(behind_links(file)) {
  if (const auto open = open_descriptor(place_)) {
    descriptor_ = ::fcntl(*open, F_DUPFD_CLOEXEC, 0);
    if (descriptor_ < 0) fail(errno, "write", file_);
    return;
  }
  struct stat before {};
  const bool exists = ::stat(place_.c_str(), &before) == 0;
  if (exists && S_ISDIR(before.st_mode)) fail(EISDIR, "write", file_);
  if (!place_.has_filename()) fail(file_.empty() ? ENOENT : EISDIR, "write", file_);
  if (exists && !S_ISREG(before.st_mode)) {
    descriptor_ = ::open(place_.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY);
    if (descriptor_ < 0) fail(errno, "write", file_);
    return;
  }
  if (exists && ::access(place_.c_str(), W_OK) != 0) fail(errno, "write", file_);
  temporary_ = temporary_beside(place_);
  descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor_ < 0) fail(errno, "create", file_);
  if (exists) take_over(before, descriptor_);
}

OutputFile::~OutputFile() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void OutputFile::write(std::string_view bytes) {
  waiting_ += bytes;
  if (waiting_.size() >= kBuffer) flush();
}

void OutputFile::flush() {
  size_t written = 0;
  while (written < waiting_.size()) {
    const ssize_t n = ::write(descriptor_, waiting_.data() + written, waiting_.size() - written);
    if (n < 0 && errno != EINTR) fail(errno, "write", file_);
    if (n > 0) written += static_cast<size_t>(n);
  }
  waiting_.clear();
}

void OutputFile::commit() {
  flush();
  if (!temporary_.empty()) {
    if (::fsync(descriptor_) != 0) fail(errno, "write", file_);
    if (::rename(temporary_.c_str(), place_.c_str()) != 0) fail(errno, "replace", file_);
  }
  const int descriptor = std::exchange(descriptor_, -1);
  if (::close(descriptor) != 0) fail(errno, "write", file_);
}

}  // namespace qbitopt
