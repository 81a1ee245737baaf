#include "qbitopt/core/file_hashes.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "qbitopt/core/hash.h"

namespace qbitopt {
namespace {

constexpr int64_t kNanoseconds = 1'000'000'000;

}  // namespace

// Opened, because a network file system asks for the file's state anew only then.
FileHashes::State FileHashes::state_of(const std::filesystem::path& file) {
  State state;
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return state;
  struct stat stat {};
  if (::fstat(descriptor, &stat) == 0)
    state = {stat.st_dev, stat.st_ino, stat.st_size,
             stat.st_ctim.tv_sec * kNanoseconds + stat.st_ctim.tv_nsec};
  ::close(descriptor);
  return state;
}

const std::string& FileHashes::sha256_of(const std::filesystem::path& file) {
  const State state = state_of(file);
  Known& known = known_[file];
  if (state.bytes >= 0 && known.state == state) return known.sha256;
  known = {State{}, sha256_of_file(file)};
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const bool is_settled = std::chrono::nanoseconds(state.changed) + settled_ < now;
  if (is_settled) known.state = state;
  return known.sha256;
}

}  // namespace qbitopt
