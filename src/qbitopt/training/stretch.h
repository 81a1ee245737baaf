#pragma once

#include <cstdint>
#include <vector>

#include "qbitopt/methods/method.h"

namespace qbitopt {

// A phase with the step at which it begins, and the stretch of steps that its learning rate is
// scheduled over.
struct Stretch {
  Phase phase;
  int64_t begin = 0;
  int64_t schedule_begin = 0;
  int64_t schedule_steps = 0;
};

// One for each phase, in their order. Throws JobError "plugin" if the phases' steps do not add up
// to `total_steps`.
std::vector<Stretch> lay_out(const std::vector<Phase>& phases, int64_t total_steps);

// The one that a step (from 0) belongs to.
const Stretch& stretch_at(const std::vector<Stretch>& stretches, int64_t step);

}  // namespace qbitopt
