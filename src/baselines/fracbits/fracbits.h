#pragma once

#include <vector>

#include "qbitopt/methods/gradient_search.h"

namespace qbitopt::fracbits {

// A tensor at a fractional bit-width (Yang and Jin, 2021): the line between its neighbors on the
// list of candidates,
//
//   Q(x) = (1 - t) Q_lo(x) + t Q_hi(x),  t = (lambda - lo) / (hi - lo),  lo <= lambda < hi
//
//   weights             Q_b of tanh(w) on 2^b levels over [-m, m], m = max |tanh(w)| (DoReFa; m is
//                       a constant to the gradient and keeps the checkpoint's scale)
//   activations         Q_b on 2^b levels over [0, alpha], signed: [-alpha, alpha] (PACT)
//
// so that dL/dlambda = <dL/dQ, Q_hi - Q_lo> / (hi - lo), and 0 where lambda is a candidate.
// Parameters "lambda" [1] and, of activations, "alpha" [1].
class FracBitsQuantizer : public RelaxedQuantizer {
 public:
  FracBitsQuantizer(QuantizerSpec spec, RangeInit init, double start_bits);

  torch::Tensor relaxed_bits() const override;
  std::vector<torch::Tensor> bit_parameters() const override { return {lambda_}; }
  std::vector<torch::Tensor> range_parameters() const override;
  // Puts lambda back between the ends of the candidates.
  void clamp_bits();

 protected:
  torch::Tensor quantize(const torch::Tensor& a) override;
  void fit(const RangeObserver& observer) override;

 private:
  torch::Tensor at_bits(const torch::Tensor& a, int bits) const;

  double start_bits_;
  torch::Tensor lambda_;
  torch::Tensor alpha_;  // undefined of weights
};

// The integers that a search's real bit-widths become: the candidate nearest to lambda + offset,
// with the first offset of 0, then up to 10 bisections of [-1, 0], that uses between 99% and 100%
// of the budget. Without such an offset: the largest tried that keeps the budget, else -1. members:
// quantizers of the budget, in its order; lambdas: one for each.
std::vector<int> assign_bits(const Problem& problem, const Budget& budget,
                             const std::vector<double>& lambdas);

class FracBits : public GradientSearch {
 public:
  explicit FracBits(const Parameters& parameters);

  std::vector<ExtraParameters> extra_parameters() override;
  void after_step(MethodContext& context, const StepState& state) override;

 protected:
  std::shared_ptr<RelaxedQuantizer> make_relaxed(const QuantizerSpec& spec,
                                                 const Parameters& parameters) override;
  // kappa * sum over budgets of |average bits - budget|
  torch::Tensor penalty(MethodContext& context, const StepState& state) override;
  void decide(MethodContext& context) override;

 private:
  double kappa_, warmup_;
  double bits_learning_rate_, range_learning_rate_;
};

}  // namespace qbitopt::fracbits
