#pragma once

#include "qbitopt/sensitivity/measured.h"

namespace qbitopt {

// The rise of the loss itself, measured, when one quantizer alone goes to b bits:
//
//   cost_q(b) = mean over images of (L with quantizer q at b bits - L)                 [nats]
//
// on the calibration set; see Stage for what the others do. It may be negative and need not fall
// with b, so it wants a solver that takes any table (exact, milp). Cost and why no prefix of the
// network is kept: candidate_outputs.h.
class LossDelta : public MeasuredSensitivity {
 public:
  // samples: images of the calibration set; 0: all.
  explicit LossDelta(int64_t samples = 256, int every = 1)
      : MeasuredSensitivity("loss_delta", every), samples_(samples) {}

 protected:
  CostTable measure(SensitivityContext& context, const UniformQuantizers& quantizers,
                    Stage stage) override;

 private:
  int64_t samples_;
};

}  // namespace qbitopt
