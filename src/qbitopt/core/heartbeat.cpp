#include "qbitopt/core/heartbeat.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <fstream>
#include <random>
#include <system_error>
#include <utility>

namespace qbitopt {
namespace {

namespace fs = std::filesystem;

constexpr int kLateBeats = 2;  // intervals without a beat that make an owner look

// A kernel that was started once, by the name it goes by: containers of one machine share the
// kernel and its locks, but those with names of their own may also share files with other machines.
std::string this_machine() {
  char host[256] = {};
  ::gethostname(host, sizeof(host) - 1);
  std::ifstream boot("/proc/sys/kernel/random/boot_id");
  std::string id;
  boot >> id;
  return std::string(host) + "/" + id;
}

std::string random_name() {
  std::random_device random;
  return fmt::format("{:08x}{:08x}", random(), random());
}

// Null if the file is not there or cannot be read. Opened anew each time, so that a network file
// system asks its server.
Json read_beat(const fs::path& file) {
  std::ifstream stream(file);
  Json content = Json::parse(stream, nullptr, /*allow_exceptions=*/false);
  return content.is_object() ? content : Json();
}

std::pair<std::string, int64_t> beat_of(const Json& content) {
  return {content.value("owner", ""), content.value("beat", int64_t{0})};
}

// Watches a file for a while. False if its number changes: its owner lives.
bool stands_still(const fs::path& file, const Heartbeat::Options& options) {
  const auto first = beat_of(read_beat(file));
  const auto end = std::chrono::steady_clock::now() + options.patience;
  while (std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(options.interval / 10);
    const Json content = read_beat(file);
    if (content.is_null()) return true;  // it ended in good order
    if (beat_of(content) != first) return false;
  }
  return true;
}

// Signals go to the thread that waits for them.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace

Json Heartbeat::owner(const fs::path& file) {
  const Json content = read_beat(file);
  return content.is_null() ? Json() : content.value("about", Json());
}

bool Heartbeat::is_elsewhere(const fs::path& file) {
  const Json content = read_beat(file);
  return !content.is_null() && content.value("machine", "") != this_machine();
}

std::unique_ptr<Heartbeat> Heartbeat::take(const fs::path& file, Json about,
                                           const Options& options) {
  if (is_elsewhere(file) && !stands_still(file, options)) return nullptr;
  std::unique_ptr<Heartbeat> heartbeat(new Heartbeat(file, std::move(about), options));
  if (options.settle.count() > 0) std::this_thread::sleep_for(options.settle);
  return heartbeat->is_mine() ? std::move(heartbeat) : nullptr;
}

Heartbeat::Heartbeat(fs::path file, Json about, const Options& options)
    : file_(std::move(file)),
      about_(std::move(about)),
      owner_(random_name()),
      interval_(options.interval) {
  write(0);
  written_ = std::chrono::steady_clock::now();
  const SignalsBlocked blocked;
  thread_ = std::thread([this] { beat(); });
}

Heartbeat::~Heartbeat() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    is_ending_ = true;
  }
  ended_.notify_one();
  thread_.join();
  std::error_code none;
  if (is_mine()) fs::remove(file_, none);
}

bool Heartbeat::is_lost() const {
  const auto age = std::chrono::steady_clock::now() - written_.load();
  if (!is_lost_ && age > kLateBeats * interval_ && is_anothers()) is_lost_ = true;
  return is_lost_;
}

bool Heartbeat::is_anothers() const {
  const Json content = read_beat(file_);
  return !content.is_null() && beat_of(content).first != owner_;
}

bool Heartbeat::is_mine() const { return beat_of(read_beat(file_)).first == owner_; }

// Not as an OutputFile: it need not survive a crash of the machine, and the temporary file's name
// must differ between machines.
void Heartbeat::write(int64_t number) const {
  const fs::path temporary = file_.string() + "." + owner_;
  const auto expect = [&](bool is_good) {
    if (!is_good) throw std::system_error(errno, std::generic_category(), temporary.string());
  };
  std::ofstream stream(temporary);
  expect(stream.is_open());
  stream << Json{{"machine", this_machine()},
                 {"owner", owner_},
                 {"beat", number},
                 {"about", about_}}
         << "\n";
  stream.close();
  expect(!stream.fail());
  fs::rename(temporary, file_);
}

void Heartbeat::beat() {
  std::unique_lock<std::mutex> lock(mutex_);
  for (int64_t number = 1; !ended_.wait_for(lock, interval_, [this] { return is_ending_; });
       ++number) {
    if (is_anothers()) {
      is_lost_ = true;
      return;
    }
    try {
      write(number);
      written_ = std::chrono::steady_clock::now();
    } catch (const std::system_error&) {  // a full disk, a server that is away: the next beat
    }
  }
}

}  // namespace qbitopt
