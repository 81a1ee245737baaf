#pragma once

#include "qbitopt/sensitivity/measured.h"

namespace qbitopt {

// The step size that a quantizer learns at a bit-width, as the importance of this choice (LIMPQ,
// Tang et al., 2022, arXiv 2203.08368):
//
//   cost_q(b) = s_q(b), times `weight_factor` for weights
//
// in the unit of the tensor. Every quantizer has a step size for each of its candidates. A training
// step runs the network once with all tensors at b bits for every b, and once with bits drawn for
// each tensor, and sums the gradients; pinned tensors stay at their bits. A step size that is below
// the one of the next wider candidate is an outlier of the joint training: as in the authors' code,
// this choice gets a prohibitive cost.
//
// Unlike the paper, weights stay as they are (`freeze_weights` in the authors' code), batch norm is
// one for all bit-widths, and the images are those of the calibration set, over and over.
struct LearnedScaleOptions {
  int64_t samples = 0;          // images of the calibration set; 0: all
  int steps = 24;               // training steps, each with a pass per bit-width and one more
  double learning_rate = 0.01;  // of SGD with momentum 0.9 for the step sizes; falls as a cosine
  double weight_factor = 2;     // alpha of the paper
};

class LearnedScale : public MeasuredSensitivity {
 public:
  static constexpr double kProhibitive = 1e8;

  explicit LearnedScale(LearnedScaleOptions options = {}, int every = 1)
      : MeasuredSensitivity("learned_scale", every), options_(options) {}

 protected:
  CostTable measure(SensitivityContext& context, const UniformQuantizers& quantizers,
                    Stage stage) override;

 private:
  LearnedScaleOptions options_;
};

}  // namespace qbitopt
