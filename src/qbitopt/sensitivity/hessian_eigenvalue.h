#pragma once

#include <vector>

#include "qbitopt/sensitivity/measured.h"

namespace qbitopt {

struct HessianEigenvalueOptions {
  int64_t samples = 64;  // images of the calibration set; 0: all
  // A tensor is done when the residual is within this fraction of its eigenvalue.
  double tolerance = 0.05;
  int iterations = 20;  // at most, for each tensor
};

struct LargestEigenvalue {
  double eigenvalue = 0;      // lambda_q
  double times_elements = 0;  // lambda_q * elements of x_q (activations: of one image's)
  double residual = 0;        // |H v - lambda v| of the eigenvector v, |v| = 1; mean as lambda_q
  int iterations = 0;         // the most that a batch took
};

// HAWQ (Dong et al., 2019), for weights and activations: largest eigenvalue times squared
// perturbation, the most that a perturbation of this size can cost to second order.
//
//   cost_q(b) = 1/2 * lambda_q * |Q_b(x_q) - x_q|^2                                       [nats]
//
// lambda_q, of a weight: largest eigenvalue of the Hessian of a batch's mean loss, averaged over
// batches; of an activation: that of one image's loss, averaged over images. Not below 0, and over
// the entries that rounding can move (can_move()).
//
// By the Lanczos iteration for each tensor by itself (an activation: for all images at once, whose
// blocks are apart), where HAWQ has power iteration: a product an iteration in either, but it finds
// the largest eigenvalue beside a larger negative one, needs fewer products, and tells the
// residual, within which an eigenvalue lies for certain. What has not converged is named in the
// table's note. It costs quantizers times iterations: for choosing bits once. See loss_curvature.h
// for what the derivatives pass through, Stage for the widths.
class HessianEigenvalue : public MeasuredSensitivity {
 public:
  explicit HessianEigenvalue(HessianEigenvalueOptions options = {}, int every = 1)
      : MeasuredSensitivity("hessian_eigenvalue", every), options_(options) {}

  bool uses_running_statistics() const override { return true; }
  std::vector<LargestEigenvalue> eigenvalues(SensitivityContext& context,
                                             const UniformQuantizers& quantizers, Stage stage);

 protected:
  CostTable measure(SensitivityContext& context, const UniformQuantizers& quantizers,
                    Stage stage) override;

 private:
  HessianEigenvalueOptions options_;
};

}  // namespace qbitopt
