#include "qbitopt/training/stretch.h"

#include <fmt/format.h>

#include "qbitopt/core/error.h"

namespace qbitopt {

std::vector<Stretch> lay_out(const std::vector<Phase>& phases, int64_t total_steps) {
  std::vector<Stretch> stretches;
  int64_t begin = 0;
  for (const Phase& phase : phases) {
    const bool is_new_schedule = stretches.empty() || phase.restart_schedule;
    const int64_t schedule_begin = is_new_schedule ? begin : stretches.back().schedule_begin;
    stretches.push_back({phase, begin, schedule_begin});
    begin += phase.steps;
  }
  if (begin != total_steps) {
    throw JobError("plugin",
                   fmt::format("the method's phases have {} steps in total, but the recipe has {}",
                               begin, total_steps));
  }
  int64_t end = total_steps;
  for (auto stretch = stretches.rbegin(); stretch != stretches.rend(); ++stretch) {
    stretch->schedule_steps = end - stretch->schedule_begin;
    if (stretch->begin == stretch->schedule_begin) end = stretch->begin;
  }
  return stretches;
}

const Stretch& stretch_at(const std::vector<Stretch>& stretches, int64_t step) {
  const Stretch* found = &stretches.front();
  for (const Stretch& candidate : stretches) {
    if (candidate.begin <= step) found = &candidate;
  }
  return *found;
}

}  // namespace qbitopt
