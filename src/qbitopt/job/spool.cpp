#include "qbitopt/job/spool.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <fstream>
#include <system_error>

#include "qbitopt/core/error.h"

namespace qbitopt {
namespace {

constexpr size_t kMostEvents = 2000;       // of one call, so that a large spool needs little memory
constexpr size_t kLongestLine = 64 << 20;  // bytes; real ones have some 100,000

double now_unix_seconds() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

[[noreturn]] void fail(const std::string& path) {
  throw std::system_error(errno, std::generic_category(), path);
}

}  // namespace

SpoolWriter::SpoolWriter(const std::filesystem::path& file) : path_(file.string()) {
  int64_t complete = 0;
  std::string last;
  {
    std::ifstream stream(file, std::ios::binary);
    std::string line;
    while (std::getline(stream, line) && !stream.eof()) {
      complete += static_cast<int64_t>(line.size()) + 1;
      last = line;
    }
  }
  if (!last.empty()) next_number_ = parse_event(last).number + 1;
  fd_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  if (fd_ < 0) fail(path_);
  if (::ftruncate(fd_, complete) != 0 || ::lseek(fd_, 0, SEEK_END) < 0) fail(path_);
}

SpoolWriter::~SpoolWriter() {
  if (fd_ >= 0) ::close(fd_);
}

void SpoolWriter::append(EventBody body) {
  const std::string line = to_line({next_number_++, now_unix_seconds(), std::move(body)}) + "\n";
  size_t written = 0;
  while (written < line.size()) {
    const ssize_t n = ::write(fd_, line.data() + written, line.size() - written);
    if (n < 0 && errno != EINTR) fail(path_);
    if (n > 0) written += static_cast<size_t>(n);
  }
}

void SpoolWriter::sync() {
  if (::fdatasync(fd_) != 0) fail(path_);
}

std::vector<Event> SpoolReader::read_new() {
  std::vector<Event> events;
  std::ifstream stream(file_, std::ios::binary);
  if (!stream) return events;
  stream.seekg(offset_);
  std::string line;
  while (events.size() < kMostEvents && std::getline(stream, line) && !stream.eof()) {
    try {
      events.push_back(parse_event(line));
    } catch (const InputError& error) {
      if (!events.empty()) return events;
      throw InputError({file_.string(), line_ + 1}, error.what());
    }
    ++line_;
    offset_ += static_cast<int64_t>(line.size()) + 1;
  }
  if (events.empty() && line.size() > kLongestLine)
    throw InputError({file_.string(), line_ + 1}, "not an event: the line has no end");
  return events;
}

}  // namespace qbitopt
