#include "qbitopt/sensitivity/candidate_errors.h"

#include "qbitopt/quant/fake_quantize.h"

namespace qbitopt {
namespace {

using torch::Tensor;

constexpr int64_t kElementsPerBatch = 1 << 13;

TensorError errors_of(const UniformQuantizer& quantizer, const RangeObserver& observer,
                      Stage stage) {
  TensorError error;
  const Tensor sample = observer.sample();
  error.power = sample.square().mean(torch::kFloat64).item<double>();
  error.movable = can_move(quantizer, sample).mean(torch::kFloat64).item<double>();
  for (const int bits : quantizer.spec().candidate_bits) {
    const Grid grid = quantizer.grid_at(bits);
    const Tensor range = stage == Stage::kBeforeTraining
                             ? observer.range(quantizer.options().range_init, grid)
                             : quantizer.range_at(bits).to(torch::kCPU, torch::kFloat32);
    error.ranges.push_back(range.clamp_min(kRangeFloor).to(quantizer.range().options()));
    double sum = 0;
    for (int64_t c = 0; c < sample.size(0); ++c) {
      sum += mean_squared_error(sample[c], error.ranges.back()[c].item<double>(), grid);
    }
    error.mean_squares.push_back(sum / static_cast<double>(sample.size(0)));
  }
  return error;
}

}  // namespace

Tensor can_move(const UniformQuantizer& quantizer, const Tensor& a) {
  return quantizer.spec().has_offset ? torch::ones_like(a, torch::kBool) : a.ne(0);
}

std::vector<TensorError> candidate_errors(SensitivityContext& context,
                                          const UniformQuantizers& quantizers, Stage stage,
                                          const LabeledBatches& batches) {
  const torch::NoGradGuard no_grad;
  std::vector<RangeObserver> observers;
  for (const auto& quantizer : quantizers) {
    const bool is_weight = quantizer->spec().kind == TensorKind::kWeight;
    observers.emplace_back(quantizer->range().numel(),
                           is_weight ? RangeObserver::kSampleLimit : kElementsPerBatch);
  }
  Taps taps(quantizers);
  for (size_t q = 0; q < quantizers.size(); ++q) {
    const UniformQuantizer* quantizer = quantizers[q].get();
    RangeObserver* observer = &observers[q];
    taps.set(q, [=](const Tensor& a) {
      const bool is_weight = quantizer->spec().kind == TensorKind::kWeight;
      if (!is_weight || observer->empty()) observer->observe(a);
      if (stage == Stage::kBeforeTraining) return a;
      return fake_quantize(a, quantizer->range(), quantizer->grid());
    });
  }
  for (const auto& [images, labels] : batches) context.forward(images);

  std::vector<TensorError> errors;
  for (size_t q = 0; q < quantizers.size(); ++q) {
    errors.push_back(errors_of(*quantizers[q], observers[q], stage));
  }
  return errors;
}

}  // namespace qbitopt
