#pragma once

#include "qbitopt/sensitivity/measured.h"

namespace qbitopt {

// FIT with the empirical Fisher information taken literally, sample by sample: the reference for
// `fit`.
//
//   cost_q(b) = 1/2 * F_q * Delta^2 / 12,   F_q = mean over samples i of |dL_i / dx_q|^2   [nats]
//
// L_i: loss of sample i alone; masks, noise and widths as in fit, and the network as it is now, at
// its present bits. Each batch runs forward once and backward once a sample, so that L_i is right
// also where batch norm couples the samples of a batch: B backward passes for a batch of B.
class FisherExact : public MeasuredSensitivity {
 public:
  // samples: images of the calibration set; 0: all.
  explicit FisherExact(int64_t samples = 64, int every = 1)
      : MeasuredSensitivity("fisher_exact", every), samples_(samples) {}

 protected:
  CostTable measure(SensitivityContext& context, const UniformQuantizers& quantizers,
                    Stage stage) override;

 private:
  int64_t samples_;
};

}  // namespace qbitopt
