#pragma once

#include <vector>

namespace qbitopt {

// Cores that this process may use: its affinity, bounded by the quota of its control group. At
// least 1.
int available_cores();

// The numbers of the cores that this process may run on.
std::vector<int> allowed_cores();

// Lets the calling thread, and the processes that it starts, run on these cores only, for as long as
// this lives. Without cores it does nothing.
class PinnedTo {
 public:
  explicit PinnedTo(const std::vector<int>& cores);
  ~PinnedTo();
  PinnedTo(const PinnedTo&) = delete;

 private:
  std::vector<int> before_;  // empty: nothing was changed
};

}  // namespace qbitopt
