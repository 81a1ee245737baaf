#pragma once

#include <cstdint>
#include <vector>

#include "qbitopt/quant/torch.h"

namespace qbitopt {

// How the Fisher trace of a weight is estimated from the gradient of a mean loss over B samples,
// which P backward passes over equal parts of them add up to: g = g_1 + .. + g_P.
enum class FisherWeights {
  kBatch,  // B * |g|^2: the trace plus (B - 1) times the squared norm of the mean gradient
  kSplit,  // unbiased, for P >= 2: the trace of the covariance that the parts show plus the squared
           // mean. For two halves of h samples with mean gradients d = 2 g_k it is
           // h/2 * |d1 - d2|^2 + <d1, d2>
};

// The trace of the empirical Fisher information at one quantized tensor, E[ |dL_i / dx|^2 ] over
// samples i, estimated from the squared gradients that the quantizer's own backward sums up, and
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
  // For weights only. `passes`: backward passes of a step, each over an equal part of its samples
  // with its share of the loss; 2 or more for kSplit. An activation's passes need no word: its
  // gradient entries belong to one pass each.
  void set_weights(FisherWeights weights, int passes);
  FisherWeights weights() const { return weights_; }
  int passes() const { return passes_; }
  // Called by the quantizer's backward. sums: float64 [channels + 1], squared masked gradients of
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
  void forget_step();

  torch::Tensor state_;
  torch::Tensor pending_;  // sums of this step; undefined: no backward yet
  // With several passes a step, of a weight: how many there were, the sum of their gradients, and
  // the sum over all pairs of <g_j, g_k>, float64 [channels].
  int passes_seen_ = 0;
  torch::Tensor gradient_sum_;
  torch::Tensor products_;
  double decay_ = 0.99;
  FisherWeights weights_ = FisherWeights::kBatch;
  int passes_ = 1;
};

}  // namespace qbitopt
