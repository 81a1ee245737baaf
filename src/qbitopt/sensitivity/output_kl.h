#pragma once

#include "qbitopt/sensitivity/measured.h"

namespace qbitopt {

// How far the network's answer moves when one quantizer alone goes to b bits:
//
//   cost_q(b) = mean over images of KL(p || p with quantizer q at b bits)                [nats]
//   p = softmax(logits)
//
// on the calibration set; needs no labels. Never negative, but need not fall with b, so it wants a
// solver that takes any table (exact, milp). See Stage for what the others do, and
// candidate_outputs.h for the cost.
class OutputKl : public MeasuredSensitivity {
 public:
  // samples: images of the calibration set; 0: all.
  explicit OutputKl(int64_t samples = 256, int every = 1)
      : MeasuredSensitivity("output_kl", every), samples_(samples) {}

 protected:
  CostTable measure(SensitivityContext& context, const UniformQuantizers& quantizers,
                    Stage stage) override;

 private:
  int64_t samples_;
};

}  // namespace qbitopt
