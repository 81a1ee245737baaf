#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "qbitopt/job/event.h"
#include "qbitopt/schedule/run_store.h"
#include "qbitopt/sweep/plan.h"

namespace qbitopt {

// Finds hopeless runs by the sweep's StopRule. Values of earlier drivers come from the store: also
// those of finished and stopped runs.
class EarlyStopping {
 public:
  // Of the plan's jobs, those that the sweep asked for and that no other job needs. Both references
  // must outlive it.
  EarlyStopping(const StopRule& rule, const Plan& plan, RunStore& store);

  // Takes an event of the attempt at this job, by index into plan.jobs. Returns why the run is
  // hopeless; empty: it is not, or is not known to be.
  std::string hear(size_t job, const Event& event);

 private:
  using Curve = std::map<int64_t, double>;  // step -> value on validation images
  struct Runner {
    Curve curve;
    int64_t total_steps = 0;
  };

  void load(const std::vector<size_t>& group);
  std::string verdict(size_t job, int64_t step);
  bool is_at_rung(const Runner& runner, int64_t step) const;
  double best(const Curve& curve, int64_t step) const;

  const StopRule rule_;
  const Plan& plan_;
  RunStore& store_;
  std::vector<std::vector<size_t>> groups_;      // jobs that are peers of each other
  std::vector<std::optional<size_t>> group_of_;  // by job; none: it is never stopped
  std::map<size_t, Runner> runners_;             // of groups that were loaded
};

}  // namespace qbitopt
