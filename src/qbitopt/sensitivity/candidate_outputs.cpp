#include "qbitopt/sensitivity/candidate_outputs.h"

#include "qbitopt/quant/fake_quantize.h"
#include "qbitopt/sensitivity/candidate_errors.h"

namespace qbitopt {

using torch::Tensor;

CostTable measure_outputs(SensitivityContext& context, const UniformQuantizers& quantizers,
                          Stage stage, const LabeledBatches& batches,
                          const std::function<Tensor(const OutputPair&)>& value,
                          const std::function<void(const Quantizer&, int64_t values)>& fail) {
  const torch::NoGradGuard no_grad;
  const std::vector<TensorError> errors = candidate_errors(context, quantizers, stage, batches);
  Taps taps(quantizers);
  taps.set_all(stage);
  std::vector<Tensor> base;
  for (const auto& [images, labels] : batches) base.push_back(context.forward(images));

  CostTable table;
  int64_t skipped = 0, total = 0;
  for (size_t q = 0; q < quantizers.size(); ++q) {
    const UniformQuantizer& quantizer = *quantizers[q];
    const std::vector<int>& candidates = quantizer.spec().candidate_bits;
    std::vector<double>& row = table.costs.emplace_back();
    for (size_t i = 0; i < candidates.size(); ++i) {
      const bool changes = stage == Stage::kBeforeTraining || candidates[i] != quantizer.bits();
      if (changes) {
        taps.set(q, [grid = quantizer.grid_at(candidates[i]), range = errors[q].ranges[i]](
                        const Tensor& a) { return fake_quantize(a, range, grid); });
      }
      double sum = 0;
      int64_t finite_values = 0, values = 0;
      for (size_t k = 0; k < batches.size(); ++k) {
        const auto& [images, labels] = batches[k];
        const Tensor changed = changes ? context.forward(images) : base[k];
        const Tensor each = value({base[k], changed, labels}).to(torch::kFloat64);
        const Tensor finite = each.isfinite();
        sum += each.masked_select(finite).sum().item<double>();
        finite_values += finite.sum().item<int64_t>();
        values += each.numel();
      }
      if (finite_values == 0) fail(quantizer, values);
      row.push_back(sum / static_cast<double>(finite_values));
      skipped += values - finite_values;
      total += values;
    }
    taps.set(q, stage);
  }
  table.note = non_finite_note(skipped, total, "outputs");
  return table;
}

}  // namespace qbitopt
