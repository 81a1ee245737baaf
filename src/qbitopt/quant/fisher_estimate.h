#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "qbitopt/quant/torch.h"

namespace qbitopt {

// How the Fisher trace of a weight is estimated from gradients that are means over a batch of B
// samples.
enum class FisherWeights {
  kBatch,  // B * |g|^2: the trace plus (B - 1) times the squared norm of the mean gradient
  kSplit,  // h/2 * |g1 - g2|^2 + <g1, g2> over two half-batches of h samples: unbiased; two
           // backward passes a step
};

// The trace of the empirical Fisher information at one quantised tensor, E[ |dL_i / dx|^2 ] over
// samples i, estimated from the squared gradients that the quantiser's own backward sums up, and
// averaged over steps by a bias-corrected exponential moving average. One value a channel where
// ranges are per channel.
//
// With a loss that is a mean over B samples, an activation's gradient entries belong to one sample
// each and hold 1 / B of its gradient: B * sum(grad^2) is the mean over samples. For weights see
// FisherWeights.
class FisherEstimate {
 public:
  explicit FisherEstimate(int64_t channels);

  // decay in [0, 1): weight of the past in the average. 0: the last step alone.
  void set_decay(double decay) { decay_ = decay; }
  double decay() const { return decay_; }
  // kSplit for weights only; the step's two half-batches must each run one forward and one
  // backward, with half the loss.
  void set_weights(FisherWeights weights) { weights_ = weights; }
  FisherWeights weights() const { return weights_; }
  // Called by the quantiser's backward. sums: float64 [channels + 1], squared masked gradients of
  // each channel and the number of gradients left out because they (or their squares in float32)
  // were not finite.
  void add(const torch::Tensor& sums, const torch::Tensor& masked_gradient);

  // Ends a step: what add() brought since the last call becomes one estimate. samples: in the whole
  // step, all accumulated backward passes together. loss_scale: what the mean loss over those
  // samples was multiplied by. A step without a backward changes nothing. A step with non-finite
  // gradients is left out (a sum of the others would be too small); they are counted.
  void end_step(int64_t samples, double loss_scale = 1);
  void reset();

  // Steps in the average; 0: trace() is not defined.
  int64_t steps() const;
  // Gradients left out since reset() because they were not finite.
  int64_t skipped() const;
  // Bias-corrected average, one a channel. Throws std::logic_error if steps() is 0.
  std::vector<double> trace() const;

  // Buffer that carries the average through a checkpoint: float64 [channels + 3], (averages, mass,
  // steps, skipped).
  torch::Tensor& state() { return state_; }

 private:
  int64_t channels() const { return state_.numel() - 3; }

  torch::Tensor state_;
  torch::Tensor pending_;              // sums of this step; undefined: no backward yet
  std::vector<torch::Tensor> masked_;  // kSplit: this step's gradients
  double decay_ = 0.99;
  FisherWeights weights_ = FisherWeights::kBatch;
};

}  // namespace qbitopt
