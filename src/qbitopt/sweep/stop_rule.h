#pragma once

#include <string>

#include "qbitopt/config/yaml.h"

namespace qbitopt {

// When a run is hopeless, so that it is stopped before its end. After a validation at step s, which
// is beyond the share `after` of its steps, a run is compared with its peers: the runs of the sweep
// with the same case, model, data set and budgets that were validated at step s or later. It is
// stopped if its best value so far is worse than the median of theirs up to step s.
struct StopRule {
  std::string metric = "loss";  // in curves of the split "validation": "loss", "top1"
  bool is_better_smaller = true;
  double after = 0.3;  // of the steps of a run, at least 0 and below 1
  int peers = 4;       // with fewer peers, a run is not stopped
};

// `stop: {metric: validation_loss, after: 0.3, rule: median, peers: 4}`. Throws InputError.
StopRule read_stop(const YamlNode& node);

}  // namespace qbitopt
