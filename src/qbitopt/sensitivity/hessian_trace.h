#pragma once

#include <vector>

#include "qbitopt/sensitivity/measured.h"

namespace qbitopt {

struct HessianTraceOptions {
  int64_t samples = 64;     // images of the calibration set; 0: all
  double tolerance = 0.05;  // stop when the standard error of the sum of traces is within this
                            // fraction of it
  int vectors = 50;         // at most this many Rademacher vectors a batch
};

// The trace of the Hessian's block at each quantiser, with its standard error. For an activation:
// the mean over images of the trace of one image's Hessian.
struct TraceEstimate {
  double trace = 0;
  double standard_error = 0;  // over the random vectors
};

// HAWQ-V2 (Dong et al., 2020), for weights and activations: mean Hessian trace times squared
// perturbation.
//
//   cost_q(b) = 1/2 * (Tr H_q / n_q) * |Q_b(x_q) - x_q|^2                                [nats]
//             = 1/2 * Tr H_q * mean of (Q_b(x_q) - x_q)^2
//
// H_q: Hessian of the mean loss with respect to x_q (activations: of one image's loss, averaged);
// n_q: its elements. The trace by Hutchinson's estimator, E[v' H v] over v of random signs, for all
// tensors at once: the blocks beside the diagonal add noise, no bias. A negative trace counts as 0.
// See loss_curvature.h for what the derivatives pass through, Stage for the widths.
class HessianTrace : public MeasuredSensitivity {
 public:
  explicit HessianTrace(HessianTraceOptions options = {}, int every = 1)
      : MeasuredSensitivity("hessian_trace", every), options_(options) {}

  std::vector<TraceEstimate> traces(SensitivityContext& context,
                                    const UniformQuantizers& quantizers, Stage stage);

 protected:
  CostTable measure(SensitivityContext& context, const UniformQuantizers& quantizers,
                    Stage stage) override;

 private:
  HessianTraceOptions options_;
  int64_t drawn_ = 0;     // vectors of the last traces()
  int64_t left_out_ = 0;  // products of the last traces() that were not finite
};

}  // namespace qbitopt
