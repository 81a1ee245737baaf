#pragma once

#include <vector>

#include "qbitopt/sensitivity/measured.h"

namespace qbitopt {

struct HessianTraceOptions {
  int64_t samples = 128;  // images of the calibration set; 0: all
  // A tensor is done when the vectors' part of its standard error is within this fraction of its
  // trace.
  double tolerance = 0.1;
  int vectors = 8;  // at most this many Rademacher vectors for each tensor and image, from 2
};

// The trace of the Hessian's block at one quantizer, over the entries that rounding can move. For
// an activation: the mean over images of the trace of one image's Hessian.
struct TraceEstimate {
  double trace = 0;
  double standard_error = 0;  // of the trace: over vectors and images
  double vector_error = 0;    // the vectors' part of it, which more vectors make smaller
  int vectors = 0;            // drawn for each image
  int64_t products = 0;       // of vectors and parts of the images
  int64_t left_out = 0;       // products that were not finite

  bool is_resolved() const { return trace > 2 * standard_error; }
};

// HAWQ-V2 (Dong et al., 2020), for weights and activations: mean Hessian trace times squared
// perturbation, over the n_q entries of x_q that rounding can move (can_move()).
//
//   cost_q(b) = 1/2 * (Tr H_q / n_q) * |Q_b(x_q) - x_q|^2                                [nats]
//             = 1/2 * Tr H_q * mean of (Q_b(x_q) - x_q)^2
//
// H_q: Hessian of the mean loss with respect to x_q (activations: of one image's loss, averaged).
// The trace by Hutchinson's estimator, E[v' H_q v] over v of random signs in this tensor alone. The
// images are looked at in parts of up to 8, each with vectors of its own: the spread within parts is
// the vectors' part of the standard error, the spread between parts the whole of it, as another
// draw of calibration images would change the trace, too. Each tensor draws vectors until its own
// error is small enough. What is not beyond two standard errors then is named in the table's note,
// and counts at least as one standard error: a cost of 0 would tell the solver that this tensor is
// free.
//
// Why zeros are left out: in MobileNetV2 for 28 x 28 on Fashion-MNIST the input of
// features.1.conv.0.0 has a trace of 7333 +- 1805 with its exact zeros (a ReLU's) and 10.0 +- 2.5
// without them; its neighbors have 0.1 to 10. See loss_curvature.h for what the derivatives pass
// through, and Stage for the widths.
class HessianTrace : public MeasuredSensitivity {
 public:
  explicit HessianTrace(HessianTraceOptions options = {}, int every = 1)
      : MeasuredSensitivity("hessian_trace", every), options_(options) {}

  bool uses_running_statistics() const override { return true; }
  std::vector<TraceEstimate> traces(SensitivityContext& context,
                                    const UniformQuantizers& quantizers, Stage stage);

 protected:
  CostTable measure(SensitivityContext& context, const UniformQuantizers& quantizers,
                    Stage stage) override;

 private:
  HessianTraceOptions options_;
};

}  // namespace qbitopt
