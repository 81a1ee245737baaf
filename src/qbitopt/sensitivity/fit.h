#pragma once

#include <memory>
#include <vector>

#include "qbitopt/quant/uniform_quantizer.h"
#include "qbitopt/sensitivity/sensitivity.h"

namespace qbitopt {

enum class FitNoise {
  kUniform,   // Delta^2 / 12: rounding errors spread evenly over a step, nothing clipped
  kMeasured,  // the mean squared error of the tensor itself at each candidate: sees clipping too
  kOptimal,   // the same with the width that makes it least at each candidate
};

struct FitOptions {
  double decay = 0.99;  // of the Fisher traces' average over steps
  FisherWeights weights = FisherWeights::kBatch;
  FitNoise noise = FitNoise::kUniform;
  int accumulate = 1;  // backward passes of a training step; kSplit: 2 at least

  // Reads fit.{decay, weights, noise} and training.accumulate of a job; without fit.decay, decay is
  // 1 - 2.5 / reallocation.tau. Throws InputError on an unknown choice.
  static FitOptions from(const Parameters& parameters);
};

// 1/2 * sum over channels of trace * noise of one element at `bits`, in nats, with the width that
// setting these bits would leave (range_at()); a negative trace (an unbiased estimate may be)
// counts as 0.
double fit_cost(const UniformQuantizer& quantizer, const std::vector<double>& trace, int bits,
                FitNoise noise = FitNoise::kUniform);

// FIT (Zandonati et al., 2022): the expected rise of the loss, to second order, when quantizer q
// works at b bits and its rounding errors are uniform:
//
//   Phi_q(b) = 1/2 * F_q * Delta^2 / 12 = F_q * r_q^2 / (24 K^2)      Delta = r_q / K, K = 2^b - 1
//
// F_q is the trace of the empirical Fisher information at the quantized tensor, summed up by the
// quantizer's own backward; per channel the sum over c of F_c r_c^2.
class Fit : public Sensitivity {
 public:
  explicit Fit(FitOptions options = {}) : options_(options) {}

  void start(const std::vector<QuantizerPtr>& quantizers) override;
  void observe_step(const std::vector<QuantizerPtr>& quantizers, int64_t samples,
                    double loss_scale) override;
  void forget(const std::vector<QuantizerPtr>& quantizers) override;
  int backward_passes_per_step() const override {
    return options_.weights == FisherWeights::kSplit ? 2 : 1;
  }
  // The mean over the calibration batches of the estimate that each of them gives.
  CostTable estimate(SensitivityContext& context) override;
  CostTable current(SensitivityContext& context) override;

 private:
  FitOptions options_;
  bool is_started_ = false;
};

}  // namespace qbitopt
