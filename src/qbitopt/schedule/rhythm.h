#pragma once

#include <algorithm>

namespace qbitopt {

// How long the pauses between the events of an attempt are, so that one that is far too long is
// noticed: ten times the longest so far, and at least two minutes.
class Rhythm {
 public:
  // An event, by the worker's clock.
  void hear(double unix_seconds) {
    if (last_ > 0) longest_ = std::max(longest_, unix_seconds - last_);
    last_ = unix_seconds;
  }
  double last() const { return last_; }  // [unix seconds]; 0: none yet
  double longest() const { return longest_; }
  // Seconds without an event after which it counts as stalled.
  double patience() const { return std::max(kLeast, kTimes * longest_); }

 private:
  static constexpr double kLeast = 120;
  static constexpr double kTimes = 10;
  double last_ = 0;
  double longest_ = 0;
};

}  // namespace qbitopt
