#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "qbitopt/core/json.h"

namespace qbitopt {

// A file that shows other machines that its owner lives: a number in it grows every few seconds.
// Completes a kernel lock where the locks of one machine are not seen by another, as on some network
// file systems: whoever has the kernel lock takes the heartbeat, too.
//
// No clock is compared with another machine's: a watcher counts its own seconds until the number
// changes. An owner that stood still for longer than others wait, and was replaced, hears of it
// through is_lost().
class Heartbeat {
 public:
  struct Options {
    std::chrono::milliseconds interval{3000};   // between two beats
    std::chrono::milliseconds patience{20000};  // without a beat, until an owner counts as gone
    // How long to wait for the write of another machine that takes the file in the same moment; 0:
    // there is none.
    std::chrono::milliseconds settle{0};
  };

  // Takes the file. `about`: an object with what people should know of the owner. An owner on this
  // machine is replaced at once, because the caller has the kernel lock; one on another machine is
  // watched for up to `patience`. Null if that one lives. Throws std::system_error if the file
  // cannot be written.
  static std::unique_ptr<Heartbeat> take(const std::filesystem::path& file, Json about,
                                         const Options& options);
  // Removes the file if it is still this one's.
  ~Heartbeat();
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;

  // True once another owner has taken the file. Cheap; looks at the file itself if no beat was
  // written for a while, so that a process that goes on after SIGSTOP knows at once.
  bool is_lost() const;

  // What the present owner wrote as `about`; null if the file is not there or cannot be read.
  static Json owner(const std::filesystem::path& file);
  // True if the file belongs to an owner on another machine. Whether that one lives is not said.
  static bool is_elsewhere(const std::filesystem::path& file);

 private:
  Heartbeat(std::filesystem::path file, Json about, const Options& options);
  void beat();
  void write(int64_t number) const;
  bool is_mine() const;
  bool is_anothers() const;

  const std::filesystem::path file_;
  const Json about_;
  const std::string owner_;  // a name that nobody else has
  std::chrono::milliseconds interval_;
  mutable std::atomic<bool> is_lost_{false};
  std::atomic<std::chrono::steady_clock::time_point> written_;  // the last beat
  std::mutex mutex_;
  std::condition_variable ended_;
  bool is_ending_ = false;
  std::thread thread_;
};

}  // namespace qbitopt
