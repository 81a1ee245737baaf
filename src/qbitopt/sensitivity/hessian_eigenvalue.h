#pragma once

#include <vector>

#include "qbitopt/sensitivity/measured.h"

namespace qbitopt {

struct HessianEigenvalueOptions {
  int64_t samples = 32;     // images of the calibration set; 0: all
  double tolerance = 0.02;  // stop when an iteration changes the eigenvalue by less than this
                            // fraction
  int iterations = 20;      // at most, for each tensor
};

struct LargestEigenvalue {
  double eigenvalue = 0;      // mean over batches of lambda_q
  double times_elements = 0;  // mean over batches of lambda_q * elements of x_q
};

// HAWQ (Dong et al., 2019), for weights and activations: largest eigenvalue times squared
// perturbation, the most that a perturbation of this size can cost to second order.
//
//   cost_q(b) = 1/2 * lambda_q * |Q_b(x_q) - x_q|^2                                       [nats]
//
// lambda_q: largest eigenvalue, not below 0, of the Hessian of a batch's mean loss with respect to
// x_q, an activation being the tensor of the whole batch; averaged over batches. By power iteration
// for each tensor by itself, so it costs quantisers times iterations: for choosing bits once. Where
// the largest in size is negative, the iteration goes on with the spectrum shifted by it. See
// loss_curvature.h for what the derivatives pass through, Stage for the widths.
class HessianEigenvalue : public MeasuredSensitivity {
 public:
  explicit HessianEigenvalue(HessianEigenvalueOptions options = {}, int every = 1)
      : MeasuredSensitivity("hessian_eigenvalue", every), options_(options) {}

  std::vector<LargestEigenvalue> eigenvalues(SensitivityContext& context,
                                             const UniformQuantizers& quantizers, Stage stage);

 protected:
  CostTable measure(SensitivityContext& context, const UniformQuantizers& quantizers,
                    Stage stage) override;

 private:
  HessianEigenvalueOptions options_;
};

}  // namespace qbitopt
