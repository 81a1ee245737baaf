#include "edmips.h"

#include <array>

#include "qbitopt/core/error.h"
#include "qbitopt/quant/fake_quantize.h"
#include "qbitopt/quant/rounding.h"
#include "qbitopt/quant/uniform_quantizer.h"

namespace qbitopt::edmips {

using torch::Tensor;

namespace {

constexpr std::array<double, 8> kGaussianSteps = {1.596,  0.996,  0.586,  0.336,
                                                  0.1881, 0.1041, 0.0569, 0.0308};
constexpr std::array<double, 8> kHalfGaussianSteps = {0.799,  0.538,  0.3217, 0.185,
                                                      0.1030, 0.0566, 0.0307, 0.0165};
constexpr double kStartAlpha = 0.01;
// Of a new batch in the average deviation.
constexpr double kMomentum = 0.1;

// [1], without a graph.
Tensor deviation_of(const Tensor& any_x, bool is_signed) {
  const Tensor x = any_x.detach();
  if (is_signed) return x.std(/*unbiased=*/false).view({1}).clamp_min(kRangeFloor);
  const Tensor positive = (x > 0).sum().clamp_min(1);
  return (x.square().sum() / positive).sqrt().view({1}).clamp_min(kRangeFloor);
}

Tensor expected_bits(const Quantizer& quantizer) {
  const auto* relaxed = dynamic_cast<const RelaxedQuantizer*>(&quantizer);
  if (relaxed && relaxed->is_relaxed()) return relaxed->relaxed_bits();
  return torch::full({}, static_cast<double>(quantizer.bits()));
}

}  // namespace

double gaussian_step(int bits) { return kGaussianSteps.at(static_cast<size_t>(bits) - 1); }

double half_gaussian_step(int bits) { return kHalfGaussianSteps.at(static_cast<size_t>(bits) - 1); }

EdMipsQuantizer::EdMipsQuantizer(QuantizerSpec any_spec, RangeInit init)
    : RelaxedQuantizer(std::move(any_spec), init) {
  if (candidates().front() < 1 || candidates().back() > 8) {
    throw InputError("edmips has steps for 1 to 8 bits; quantizers.candidate_bits of '" +
                     spec().name + "' go beyond");
  }
  const auto count = static_cast<int64_t>(candidates().size());
  alpha_ = register_parameter("alpha", torch::full({count}, kStartAlpha));
  if (spec().kind == TensorKind::kActivation) {
    deviation_ = register_buffer("deviation", torch::ones({1}));
  }
}

Tensor EdMipsQuantizer::relaxed_bits() const {
  const std::vector<double> bits(candidates().begin(), candidates().end());
  return alpha_.softmax(0).dot(torch::tensor(bits, alpha_.options().requires_grad(false)));
}

int EdMipsQuantizer::nearest_bits() const {
  return candidates()[static_cast<size_t>(alpha_.argmax().item<int64_t>())];
}

void EdMipsQuantizer::fit(const RangeObserver& observer) {
  if (deviation_.defined()) {
    deviation_.copy_(deviation_of(observer.sample(), spec().is_signed));
  }
}

Tensor EdMipsQuantizer::quantize(const Tensor& a) {
  Tensor deviation;
  if (!deviation_.defined()) {
    deviation = deviation_of(a, /*is_signed=*/true);
  } else {
    if (is_training()) {
      const torch::NoGradGuard no_grad;
      deviation_.lerp_(deviation_of(a, spec().is_signed), kMomentum);
    }
    deviation = deviation_.clone();  // the next step changes the buffer
  }
  if (!is_relaxed()) return at_bits(a, deviation, bits());
  const Tensor p = alpha_.softmax(0);
  Tensor sum;
  for (size_t i = 0; i < candidates().size(); ++i) {
    const Tensor branch = at_bits(a, deviation, candidates()[i]) * p[static_cast<int64_t>(i)];
    sum = sum.defined() ? sum + branch : branch;
  }
  return sum;
}

Tensor EdMipsQuantizer::at_bits(const Tensor& a, const Tensor& deviation, int bits) const {
  const Grid grid = Grid::make(bits, /*is_signed=*/false);
  if (!spec().is_signed) {
    return fake_quantize(a, deviation * (half_gaussian_step(bits) * grid.K), grid);
  }
  const Tensor limit = deviation * (gaussian_step(bits) * grid.K / 2);
  if (spec().kind == TensorKind::kActivation) return quantize_midrise(a, limit, bits);
  return a + (quantize_midrise(a.detach(), limit, bits) - a.detach());
}

EdMips::EdMips(const Parameters& parameters)
    : GradientSearch(
          parameters.get<double>("edmips.search"),
          {.name = "retrain", .restart_from_checkpoint = true, .restart_schedule = true}),
      cd_(parameters.get<double>("edmips.cd")),
      learning_rate_(parameters.get<double>("edmips.learning_rate")),
      counts_bops_(parameters.get<std::string>("edmips.complexity") == "bops") {}

std::shared_ptr<RelaxedQuantizer> EdMips::make_relaxed(const QuantizerSpec& spec,
                                                       const Parameters& parameters) {
  return std::make_shared<EdMipsQuantizer>(spec,
                                           UniformQuantizerOptions::from(parameters).range_init);
}

std::vector<ExtraParameters> EdMips::extra_parameters() {
  std::vector<ExtraParameters> groups = {{.tensors = all_bit_parameters(),
                                          .optimizer = "sgd",
                                          .learning_rate = learning_rate_,
                                          .momentum = 0.9,
                                          .weight_decay = 1e-4}};
  if (!all_range_parameters().empty()) {  // offsets
    groups.push_back({.tensors = all_range_parameters(), .learning_rate = 1e-3});
  }
  return groups;
}

Tensor EdMips::penalty(MethodContext& context, const StepState& state) {
  Tensor sum = torch::zeros({}, state.loss.options());
  if (!counts_bops_) {
    for (const Budget& budget : context.problem().budgets) {
      sum = sum + average_bits(context.problem(), budget, context.quantizers());
    }
    return cd_ * sum;
  }
  double first = 0;
  for (const LayerSites& layer : context.network().layer_sites()) {
    if (!layer.weight || !layer.input) continue;
    const QuantizerPtr &weight = layer.weight->quantizer(), &input = layer.input->quantizer();
    if (weight->spec().pinned_bits && input->spec().pinned_bits) continue;
    const auto macs = static_cast<double>(layer.macs);
    if (first == 0) first = macs;
    sum = sum + expected_bits(*weight) * expected_bits(*input) * (macs / first);
  }
  return cd_ * sum;
}

}  // namespace qbitopt::edmips
