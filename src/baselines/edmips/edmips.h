#pragma once

#include <vector>

#include "qbitopt/methods/gradient_search.h"

namespace qbitopt::edmips {

// A tensor as the weighted sum of itself at every candidate (EdMIPS, Cai and Vasconcelos, 2020):
//
//   Q(x) = sum over b of p_b Q_b(x),   p = softmax(alpha)
//
//   weights       2^b levels, midrise, step g_b * deviation of x; the gradient passes as it is
//   activations   b-bit grid from 0, step h_b * deviation (HWGQ); signed ones as weights, but
//                 clipped values have no gradient
//
// g_b and h_b are optimal for a Gaussian and its positive half: no range is learned. The deviation
// of weights is the present one, that of activations an average over training batches (buffer
// "deviation", root mean square of the positive values; of signed ones the standard deviation).
// Parameter "alpha", one a candidate.
class EdMipsQuantizer : public RelaxedQuantizer {
 public:
  // Throws InputError on a candidate outside 1 .. 8.
  EdMipsQuantizer(QuantizerSpec spec, RangeInit init);

  // sum of p_b b
  torch::Tensor relaxed_bits() const override;
  std::vector<torch::Tensor> bit_parameters() const override { return {alpha_}; }

 protected:
  torch::Tensor quantize(const torch::Tensor& a) override;
  void fit(const RangeObserver& observer) override;
  // The heaviest branch.
  int nearest_bits() const override;

 private:
  torch::Tensor at_bits(const torch::Tensor& a, const torch::Tensor& deviation, int bits) const;

  torch::Tensor alpha_, deviation_;
};

// Step, in standard deviations, of 2^bits evenly spread levels of least squared error for a
// Gaussian; 1 to 4 bits as published, 5 to 8 computed alike.
double gaussian_step(int bits);
// The same for its positive half, levels at multiples 1 .. 2^bits - 1 of the step.
double half_gaussian_step(int bits);

class EdMips : public GradientSearch {
 public:
  explicit EdMips(const Parameters& parameters);

  std::vector<ExtraParameters> extra_parameters() override;

 protected:
  std::shared_ptr<RelaxedQuantizer> make_relaxed(const QuantizerSpec& spec,
                                                 const Parameters& parameters) override;
  // cd * sum over budgets of the average bits, or, of `bops`, over layers of MACs * E[b_w] * E[b_a]
  // in units of the first layer's MACs. No budget enters.
  torch::Tensor penalty(MethodContext& context, const StepState& state) override;

 private:
  double cd_, learning_rate_;
  bool counts_bops_;
};

}  // namespace qbitopt::edmips
