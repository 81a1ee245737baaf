#pragma once

#include <vector>

#include "qbitopt/methods/gradient_search.h"

namespace qbitopt::bayesian_bits {

// Nested power-of-two grids that gates open one after another (Bayesian Bits, van Baalen et al.,
// 2020):
//
//   s_2 = (m - n) / (2^2 - 1),   s_4 = s_2 / (2^2 + 1),   s_8 = s_4 / (2^4 + 1)
//   x_2 = s_2 round(x / s_2),    x_4 = s_4 round((x - x_2) / s_4),    x_8 likewise
//   Q(x) = x_2 + z_4 (x_4 + z_8 x_8),    x clipped to (1 - 1e-7) of [n, m]
//
// m learned (PACT), n = -m on signed grids, else 0. With open gates this is rounding to the finest
// grid. A gate z is a hard concrete variable with parameter phi, beta 2/3, stretched to
// (-0.1, 1.1): random in training, else open or shut. Gates of candidates that are not 2, 4 or 8 do
// not exist; the smallest of these is always open. Parameters "maximum" [1] and "phi", one a gate.
class BayesianBitsQuantizer : public RelaxedQuantizer {
 public:
  // Throws InputError if the candidates hold none of 2, 4, 8, or 2 and 8 without 4.
  BayesianBitsQuantizer(QuantizerSpec spec, RangeInit init, double start_phi);

  // Expected bits under the gates' probabilities to be open.
  torch::Tensor relaxed_bits() const override;
  // sum over b of b * P(x_b counts): what the method penalizes. 2 for the tensor's 2-bit part, and
  // so on, so that 8 bits cost 2 + 4 + 8.
  torch::Tensor cost() const;
  std::vector<torch::Tensor> bit_parameters() const override;
  std::vector<torch::Tensor> range_parameters() const override;

 protected:
  torch::Tensor quantize(const torch::Tensor& a) override;
  void fit(const RangeObserver& observer) override;
  int nearest_bits() const override;

 private:
  std::vector<int> levels_;      // the candidates among 2, 4, 8
  torch::Tensor maximum_, phi_;  // phi: of levels_[1], levels_[2]; undefined with one level
};

// Hard concrete (Louizos et al., 2018): clamp(1.2 sigmoid((log u - log(1 - u) + phi) / beta) - 0.1,
// 0, 1). u: uniform in (0, 1).
torch::Tensor hard_concrete(const torch::Tensor& phi, const torch::Tensor& u);
// P(gate > 0) = sigmoid(phi - beta log(0.1 / 1.1)).
torch::Tensor open_probability(const torch::Tensor& phi);
// Whether a gate is open when it is not random: 1 - open_probability < 0.34.
bool is_open(double phi);
// x_2 + z_4 (x_4 + z_8 x_8) up to `bits`; gates[i]: z_4, z_8, of which absent ones are 1.
// x: clipped. maximum: [1].
torch::Tensor quantize_nested(const torch::Tensor& x, const torch::Tensor& maximum, bool is_signed,
                              int bits, const std::vector<torch::Tensor>& gates = {});

class BayesianBits : public GradientSearch {
 public:
  explicit BayesianBits(const Parameters& parameters);

  std::vector<ExtraParameters> extra_parameters() override;

 protected:
  std::shared_ptr<RelaxedQuantizer> make_relaxed(const QuantizerSpec& spec,
                                                 const Parameters& parameters) override;
  // mu * sum over quantizers of cost() * w_q / (largest w of its budget). No budget enters.
  torch::Tensor penalty(MethodContext& context, const StepState& state) override;

 private:
  double mu_, gate_learning_rate_, range_learning_rate_, start_phi_;
};

}  // namespace qbitopt::bayesian_bits
