#include "qbitopt/sensitivity/learned_scale.h"

#include <torch/autograd.h>
#include <torch/optim/sgd.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>
#include <set>

#include "qbitopt/core/random.h"
#include "qbitopt/quant/fake_quantize.h"
#include "qbitopt/sensitivity/candidate_errors.h"

namespace qbitopt {
namespace {

using torch::Tensor;

// A step size for every candidate of every quantizer, and which of them is at work.
class ScaleBank {
 public:
  // Starts at the widths that `errors` were taken at.
  ScaleBank(const UniformQuantizers& quantizers, const std::vector<TensorError>& errors)
      : quantizers_(quantizers), elements_(quantizers.size()), present_(quantizers.size()) {
    for (size_t q = 0; q < quantizers.size(); ++q) {
      std::vector<Tensor>& scales = scales_.emplace_back();
      for (size_t i = 0; i < errors[q].ranges.size(); ++i) {
        const Tensor scale = errors[q].ranges[i].detach() / steps_at(q, i);
        scales.push_back(scale.clone().requires_grad_());
      }
    }
  }

  size_t candidates(size_t q) const { return scales_[q].size(); }
  std::optional<int> pinned_bits(size_t q) const { return quantizers_[q]->spec().pinned_bits; }
  int bits(size_t q, size_t i) const { return quantizers_[q]->spec().candidate_bits[i]; }
  void choose(size_t q, size_t i) { present_[q] = i; }

  std::vector<Tensor> parameters() const {
    std::vector<Tensor> all;
    for (const auto& scales : scales_) all.insert(all.end(), scales.begin(), scales.end());
    return all;
  }

  // The tensor on the grid of the present candidate.
  Tensor quantized(size_t q, const Tensor& a) {
    const UniformQuantizer& quantizer = *quantizers_[q];
    const bool is_weight = quantizer.spec().kind == TensorKind::kWeight;
    elements_[q] = is_weight ? a.numel() : a.numel() / a.size(0);
    const size_t i = present_[q];
    return fake_quantize(a, scales_[q][i] * steps_at(q, i), grid(q, i));
  }

  // Adds d loss / d scale, times LSQ's 1 / sqrt(N p), to the gradients of the present candidates.
  void add_gradients(const Tensor& loss) {
    std::vector<Tensor> present;
    for (size_t q = 0; q < scales_.size(); ++q) present.push_back(scales_[q][present_[q]]);
    const auto gradients = torch::autograd::grad({loss}, present, {}, /*retain_graph=*/{},
                                                 /*create_graph=*/false, /*allow_unused=*/true);
    for (size_t q = 0; q < scales_.size(); ++q) {
      if (!gradients[q].defined()) continue;
      const double n = static_cast<double>(elements_[q]) / static_cast<double>(present[q].numel());
      const double g = 1 / std::sqrt(n * grid(q, present_[q]).p);
      Tensor& sum = present[q].mutable_grad();
      const Tensor scaled = gradients[q] * g;
      sum = sum.defined() ? sum + scaled : scaled;
    }
  }

  // The learned step size, the mean over channels.
  double scale(size_t q, size_t i) const { return scales_[q][i].mean().item<double>(); }

 private:
  Grid grid(size_t q, size_t i) const { return quantizers_[q]->grid_at(bits(q, i)); }
  double steps_at(size_t q, size_t i) const { return grid(q, i).K; }

  const UniformQuantizers& quantizers_;
  std::vector<std::vector<Tensor>> scales_;
  std::vector<int64_t> elements_;  // of the tensor, of an activation per sample: LSQ's N
  std::vector<size_t> present_;
};

// Sorted: every bit-width that any quantizer may have.
std::vector<int> all_bits(const UniformQuantizers& quantizers) {
  std::set<int> bits;
  for (const auto& quantizer : quantizers) {
    const auto& candidates = quantizer->spec().candidate_bits;
    bits.insert(candidates.begin(), candidates.end());
  }
  return {bits.begin(), bits.end()};
}

// The candidate of quantizer q that is nearest to `bits`: itself, if q has it. A pinned quantizer
// stays at its own.
size_t nearest(const ScaleBank& bank, size_t q, int bits) {
  bits = bank.pinned_bits(q).value_or(bits);
  size_t best = 0;
  for (size_t i = 1; i < bank.candidates(q); ++i) {
    if (std::abs(bank.bits(q, i) - bits) < std::abs(bank.bits(q, best) - bits)) best = i;
  }
  return best;
}

}  // namespace

CostTable LearnedScale::measure(SensitivityContext& context, const UniformQuantizers& quantizers,
                                Stage stage) {
  const LabeledBatches batches = first_samples(context, options_.samples);
  ScaleBank bank(quantizers, candidate_errors(context, quantizers, stage, batches));
  const torch::AutoGradMode with_graph(true);
  torch::optim::SGD optimizer(bank.parameters(),
                              torch::optim::SGDOptions(options_.learning_rate).momentum(0.9));
  Random random(context.seed, "sensitivity.learned_scale", static_cast<uint64_t>(context.step));
  {
    Taps taps(quantizers);
    for (size_t q = 0; q < quantizers.size(); ++q) {
      taps.set(q, [&bank, q](const Tensor& a) { return bank.quantized(q, a); });
    }
    for (int step = 0; step < options_.steps; ++step) {
      const auto& [images, labels] = batches[static_cast<size_t>(step) % batches.size()];
      const auto pass = [&, &images = images, &labels = labels](const auto& candidate_of) {
        for (size_t q = 0; q < quantizers.size(); ++q) bank.choose(q, candidate_of(q));
        bank.add_gradients(torch::cross_entropy_loss(context.forward(images), labels));
      };
      optimizer.zero_grad();
      for (const int bits : all_bits(quantizers)) {
        pass([&](size_t q) { return nearest(bank, q, bits); });
      }
      pass([&](size_t q) {
        return nearest(bank, q, bank.bits(q, random.below(bank.candidates(q))));
      });
      const double done = static_cast<double>(step) / options_.steps;
      optimizer.param_groups()[0].options().set_lr(options_.learning_rate *
                                                   (1 + std::cos(std::numbers::pi * done)) / 2);
      optimizer.step();
    }
  }

  CostTable table{.unit = "step size"};
  int64_t outliers = 0;
  for (size_t q = 0; q < quantizers.size(); ++q) {
    const bool is_weight = quantizers[q]->spec().kind == TensorKind::kWeight;
    std::vector<double>& row = table.costs.emplace_back();
    for (size_t i = 0; i < bank.candidates(q); ++i) {
      const double scale = bank.scale(q, i);
      if (!std::isfinite(scale)) fail_non_finite(*quantizers[q], 1);
      const bool is_outlier = i + 1 < bank.candidates(q) && scale < bank.scale(q, i + 1);
      outliers += is_outlier;
      row.push_back(is_outlier ? kProhibitive : scale * (is_weight ? options_.weight_factor : 1));
    }
  }
  if (outliers > 0) {
    table.note = std::to_string(outliers) +
                 " choices are avoided, because their step size was learned smaller than that of "
                 "the next wider bit-width";
  }
  return table;
}

}  // namespace qbitopt
