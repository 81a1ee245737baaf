#include "qbitopt/schedule/executors/cores.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <string>

namespace qbitopt {
namespace {

// "max 100000" or "150000 100000": microseconds of processor time in each period.
int control_group_cores(int otherwise) {
  std::ifstream file("/sys/fs/cgroup/cpu.max");
  std::string quota;
  double period = 0;
  if (!(file >> quota >> period) || quota == "max" || period <= 0) return otherwise;
  return static_cast<int>(std::ceil(std::stod(quota) / period));
}

void allow(const std::vector<int>& cores) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int core : cores) CPU_SET(core, &set);
  ::sched_setaffinity(0, sizeof(set), &set);
}

}  // namespace

std::vector<int> allowed_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> cores;
  if (::sched_getaffinity(0, sizeof(set), &set) != 0) return cores;
  for (int core = 0; core < CPU_SETSIZE; ++core) {
    if (CPU_ISSET(core, &set)) cores.push_back(core);
  }
  return cores;
}

PinnedTo::PinnedTo(const std::vector<int>& cores) {
  if (cores.empty()) return;
  before_ = allowed_cores();
  allow(cores);
}

PinnedTo::~PinnedTo() {
  if (!before_.empty()) allow(before_);
}

int available_cores() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  const int allowed = ::sched_getaffinity(0, sizeof(cores), &cores) == 0 ? CPU_COUNT(&cores) : 1;
  return std::max(1, std::min(allowed, control_group_cores(allowed)));
}

}  // namespace qbitopt
