#pragma once

#include "qbitopt/sensitivity/sensitivity.h"

namespace qbitopt {

// What a metric must beat. Both have the shape of FIT, cost = A_q / (2^b - 1)^2 (pseudo-nats), so
// that a solver spends the whole budget, but know nothing of the network.

// A_q = 1: only the tensors' sizes decide.
class UniformSensitivity : public Sensitivity {
 public:
  CostTable estimate(SensitivityContext& context) override;
};

// log10 A_q is uniform over `decades`, drawn anew for each seed and each step at which it is asked.
class RandomSensitivity : public Sensitivity {
 public:
  explicit RandomSensitivity(double decades = 4) : decades_(decades) {}
  CostTable estimate(SensitivityContext& context) override;

 private:
  double decades_;
};

}  // namespace qbitopt
