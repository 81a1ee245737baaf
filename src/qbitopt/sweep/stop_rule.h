#pragma once

#include <string>

#include "qbitopt/config/yaml.h"

namespace qbitopt {

// When a run is hopeless, so that it is stopped before its end. After a validation at step s, a run
// is compared with its peers: the runs of the sweep with the same case, model, data set and budgets
// that were validated at step s or later. What counts is each run's best value up to step s.
struct StopRule {
  enum class Kind {
    // Beyond the share `after` of its steps, a run that is worse than the median of its peers is
    // stopped after any validation.
    kMedian,
    // Successive halving (asynchronous: Li et al., 2020, arXiv 1810.05934): only at the rungs,
    // which are the first validations at or beyond the shares `after`, `after` times
    // `reduction_factor`, and so on. A run that is not among the best 1 / reduction_factor of those
    // that have come to the rung is stopped.
    kHalving,
  };
  Kind kind = Kind::kMedian;
  std::string metric = "loss";  // in curves of the split "validation": "loss", "top1"
  bool is_better_smaller = true;
  double after = 0.3;           // of the steps of a run, at least 0 and below 1; of halving above 0
  int peers = 4;                // with fewer peers, a run is not stopped
  double reduction_factor = 3;  // of halving, above 1
};

// `stop: {metric: validation_loss, after: 0.3, rule: median, peers: 4}`, or
// `stop: {metric: validation_loss, after: 0.1, rule: halving, reduction_factor: 3}`. Throws
// InputError.
StopRule read_stop(const YamlNode& node);

}  // namespace qbitopt
