#pragma once

#include "qbitopt/sensitivity/measured.h"

namespace qbitopt {

// The quantizer's own mean squared error: what a metric must beat that knows the network.
//
//   cost_q(b) = mean over elements of (Q_b(x_q) - x_q)^2           [squared unit of the tensor]
//
// Weights as they are, activations over the calibration set; see Stage for the widths.
class QuantMse : public MeasuredSensitivity {
 public:
  explicit QuantMse(int every = 1) : MeasuredSensitivity("quant_mse", every) {}

 protected:
  CostTable measure(SensitivityContext& context, const UniformQuantizers& quantizers,
                    Stage stage) override;
};

}  // namespace qbitopt
