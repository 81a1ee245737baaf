#pragma once

#include "qbitopt/sensitivity/measured.h"

namespace qbitopt {

// FIT with the Fisher information of the network's own output instead of the labels': what
// `output_kl` measures, to second order, KL(p || p + dp) = 1/2 dx' F dx.
//
//   cost_q(b) = 1/2 * F_q * Delta^2 / 12,   F_q = mean over images i of E_{y ~ p_i} |d log p_i(y) / dx_q|^2
//
// in nats; p_i = softmax(logits of image i), widths and masks as in fit. `fit` and `fisher_exact` take
// the label of the image for y, so that an image that the network knows well counts for next to
// nothing. F is also the Gauss-Newton part of the Hessian, the whole of its own block where all
// between x_q and the logits is piecewise linear (loss_curvature.h).
//
// One backward pass gives an estimate for all tensors: y_i is drawn from p_i, and each image's loss
// has a random sign s_i, so that in the squared gradient of a weight, |sum_i s_i g_i|^2, the products
// of two images cancel on average. See Martens, 2020 (arXiv 1412.1193), and Kunstner et al., 2019 (arXiv
// 1905.12558), on why the label's is another matrix.
class OutputFisher : public MeasuredSensitivity {
 public:
  // samples: images of the calibration set; 0: all. draws: backward passes a batch.
  explicit OutputFisher(int64_t samples = 128, int draws = 4, int every = 1)
      : MeasuredSensitivity("output_fisher", every), samples_(samples), draws_(draws) {}

 protected:
  CostTable measure(SensitivityContext& context, const UniformQuantizers& quantizers,
                    Stage stage) override;

 private:
  int64_t samples_;
  int draws_;
};

}  // namespace qbitopt
