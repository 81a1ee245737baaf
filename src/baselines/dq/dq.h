#pragma once

#include <vector>

#include "qbitopt/methods/gradient_search.h"

namespace qbitopt::dq {

// A uniform grid whose step d and end x_max are learned and whose bit-width follows from them
// (parametrization U3 of Uhlich et al., 2020):
//
//   d_q = 2^round(log2(clamp(d, 2^-8, 1))),   m_q = d_q round(clamp(x_max, 2^-8, 127) / d_q)
//   Q(x) = d_q round(clamp(x, -m_q, m_q) / d_q)                 (unsigned: from 0)
//   n = ceil(log2(m_q / d_q + 1)) + 1 bits (unsigned: without the + 1)
//
// All rounding is straight-through. Parameters "step" and "maximum", [1].
class DqQuantizer : public RelaxedQuantizer {
 public:
  DqQuantizer(QuantizerSpec spec, RangeInit init, int start_bits);

  // n with the gradient of log2(x_max / d + 1).
  torch::Tensor relaxed_bits() const override;
  std::vector<torch::Tensor> bit_parameters() const override { return {step_, maximum_}; }
  // Gradients of d and x_max are kept within [-d, d]: one step of gradient descent changes them by
  // at most their learning rate's share of d.
  void clip_gradients();
  // Puts d and x_max back to where their bits are between the ends of the candidates.
  void clamp_parameters();

 protected:
  torch::Tensor quantize(const torch::Tensor& a) override;
  void fit(const RangeObserver& observer) override;
  // The grid's own bits fit into the next candidate above.
  int nearest_bits() const override;

 private:
  torch::Tensor quantized_step() const;
  torch::Tensor quantized_maximum(const torch::Tensor& quantized_step) const;
  double codes(int bits) const;  // highest code of a grid

  int start_bits_;
  torch::Tensor step_, maximum_;
};

class Dq : public GradientSearch {
 public:
  explicit Dq(const Parameters& parameters);

  std::vector<ExtraParameters> extra_parameters() override;
  void after_backward(MethodContext& context, const StepState& state) override;
  void after_step(MethodContext& context, const StepState& state) override;

 protected:
  std::shared_ptr<RelaxedQuantizer> make_relaxed(const QuantizerSpec& spec,
                                                 const Parameters& parameters) override;
  torch::Tensor penalty(MethodContext& context, const StepState& state) override;

 private:
  double strength_, learning_rate_;
  int start_bits_;
};

// strength * max(S - S_0, 0)^2, sizes in KiB: S = average * elements / 8192.
torch::Tensor size_penalty(const torch::Tensor& average_bits, double budget_bits, double elements,
                           double strength);

}  // namespace qbitopt::dq
