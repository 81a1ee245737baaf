#pragma once

#include <vector>

#include "qbitopt/methods/gradient_search.h"

namespace qbitopt::hmq {

// A uniform grid with a power-of-two threshold, drawn from a table of bits and thresholds (HMQ,
// Habi et al., 2020):
//
//   t_j = T / 2^j, j = 0 .. 7          T: the power of two that covers x
//   D_bj = t_j / 2^(b - signed)
//   p = softmax((theta + Gumbel noise) / temperature)   over all (b, j)
//   D = sum of p D_bj,   t = sum of p t_j
//   Q(x) = clamp(D round(x / D), -t or 0, t - D)
//
// In training weights draw noise for each input channel, activations one for the tensor; else, and
// once the search is over, the likeliest bits over all thresholds are taken, at their likeliest
// one. Parameter "theta"; buffers "threshold" (T), "allowed" (0, or minus infinity where a row of
// the table is closed) and "shift" (j once the search is over).
class HmqQuantizer : public RelaxedQuantizer {
 public:
  static constexpr int kShifts = 8;

  HmqQuantizer(QuantizerSpec spec, RangeInit init);

  // sum of b over p without noise, at temperature 1
  torch::Tensor relaxed_bits() const override;
  std::vector<torch::Tensor> bit_parameters() const override { return {theta_}; }
  // Keeps the likeliest threshold of these bits.
  void set_bits(int bits) override;
  // From now on these bits alone are searched, over thresholds.
  void restrict_to(int bits);
  // 0 < temperature; 1 at the start.
  void set_temperature(double temperature) { temperature_ = temperature; }

 protected:
  torch::Tensor quantize(const torch::Tensor& a) override;
  // T, and theta: the widest bits at the threshold of least error have p = 0.95.
  void fit(const RangeObserver& observer) override;
  int nearest_bits() const override;

 private:
  // Logits of the table: [candidates * 8], bits outside, thresholds inside.
  torch::Tensor logits() const { return theta_ + allowed_; }
  int64_t likeliest() const;  // cell
  int widest_allowed() const;
  torch::Tensor table_of_steps() const;
  torch::Tensor table_of_thresholds() const;
  torch::Tensor at(const torch::Tensor& a, int bits, int shift) const;

  torch::Tensor theta_, threshold_, allowed_, shift_;
  CachedInteger shift_in_buffer_;
  double temperature_ = 1;
};

// One draw of p: [rows, logits.numel()].
torch::Tensor gumbel_softmax(const torch::Tensor& logits, double temperature, int64_t rows);

// gamma * (max(target - rate, 0) / target)^2, rate = 32 / average_bits.
torch::Tensor compression_penalty(const torch::Tensor& average_bits, double target, double gamma);

// Where a step of the search stands in the 4 cycles over its first two thirds. The rest belongs to
// the last one.
struct Cycle {
  int64_t index;  // 0 .. 3
  int64_t step;   // since the cycle began
};
Cycle cycle_at(int64_t step, int64_t search_steps);
// The compression to reach in a cycle: 4 in the first (or the goal, if that is less), then up to
// the goal in equal steps.
double target_of(int64_t cycle, double goal);

class Hmq : public GradientSearch {
 public:
  explicit Hmq(const Parameters& parameters);

  void start(MethodContext& context) override;
  void before_step(MethodContext& context, const StepState& state) override;
  std::vector<ExtraParameters> extra_parameters() override;

 protected:
  std::shared_ptr<RelaxedQuantizer> make_relaxed(const QuantizerSpec& spec,
                                                 const Parameters& parameters) override;
  torch::Tensor penalty(MethodContext& context, const StepState& state) override;

 private:
  double gamma_, learning_rate_, temperature_rate_;
};

}  // namespace qbitopt::hmq
