#pragma once

#include <vector>

#include "qbitopt/methods/gradient_search.h"

namespace qbitopt::nipq {

// A tensor with noise in place of rounding (NIPQ, Shin et al., 2023). With the real bit-width and
// the limit
//
//   b = lo + (hi - lo) sigmoid(beta),   L = softplus(rho),   D = L / p(b),
//   p(b) = 2^(b-1) - 1 (signed), 2^b - 1 (unsigned)
//
// lo, hi the ends of the candidates, training computes
//
//   b' = round(b + u),  u uniform in [-1/2, 1/2), straight-through
//   x_hat = x + e D(b') where |x| < L (unsigned: 0 < x < L),  else the nearer end
//
// e drawn from the rounding errors of x inside, in steps. Everywhere else, and once the search is
// over, x is rounded to the grid of L and the integer bits: LSQ. Parameters "beta" and "rho", [1].
class NipqQuantizer : public RelaxedQuantizer {
 public:
  NipqQuantizer(QuantizerSpec spec, RangeInit init);

  torch::Tensor relaxed_bits() const override;
  // L, with a graph.
  torch::Tensor limit() const;
  std::vector<torch::Tensor> bit_parameters() const override { return {beta_}; }
  std::vector<torch::Tensor> range_parameters() const override;

 protected:
  torch::Tensor quantize(const torch::Tensor& a) override;
  void fit(const RangeObserver& observer) override;

 private:
  torch::Tensor with_noise(const torch::Tensor& a) const;

  torch::Tensor beta_, rho_;
};

// Errors round(v) - v, in steps, of those of up to 4096 values v = x / step that lie between n and
// p.
torch::Tensor rounding_errors(const torch::Tensor& x, const torch::Tensor& step, double n,
                              double p);

// |average - budget|, rounded off below one bit of a budget's `elements` together (smooth L1).
torch::Tensor budget_penalty(const torch::Tensor& average, double budget, int64_t elements);

class Nipq : public GradientSearch {
 public:
  explicit Nipq(const Parameters& parameters);

  std::vector<ExtraParameters> extra_parameters() override;

 protected:
  std::shared_ptr<RelaxedQuantizer> make_relaxed(const QuantizerSpec& spec,
                                                 const Parameters& parameters) override;
  // strength * sum over budgets of budget_penalty(average of the rounded bits, straight-through)
  torch::Tensor penalty(MethodContext& context, const StepState& state) override;

 private:
  double strength_, bits_learning_rate_, range_learning_rate_;
};

}  // namespace qbitopt::nipq
