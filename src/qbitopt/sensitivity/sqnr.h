#pragma once

#include "qbitopt/sensitivity/measured.h"

namespace qbitopt {

// The quantizer's error relative to its tensor: the reciprocal of the signal-to-quantization-noise
// ratio, which adds up where decibels do not.
//
//   cost_q(b) = mean of (Q_b(x_q) - x_q)^2 / mean of x_q^2 = 10^(-SQNR[dB] / 10)          [1]
//
// Weights as they are, activations over the calibration set; see Stage for the widths. A tensor of
// zeros costs nothing.
class Sqnr : public MeasuredSensitivity {
 public:
  explicit Sqnr(int every = 1) : MeasuredSensitivity("sqnr", every) {}

 protected:
  CostTable measure(SensitivityContext& context, const UniformQuantizers& quantizers,
                    Stage stage) override;
};

}  // namespace qbitopt
