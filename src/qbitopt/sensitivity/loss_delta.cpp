#include "qbitopt/sensitivity/loss_delta.h"

#include "qbitopt/sensitivity/candidate_outputs.h"

namespace qbitopt {
namespace {

using torch::Tensor;

Tensor cross_entropy(const Tensor& logits, const Tensor& labels) {
  return torch::cross_entropy_loss(logits, labels, /*weight=*/{}, at::Reduction::None);
}

}  // namespace

CostTable LossDelta::measure(SensitivityContext& context, const UniformQuantizers& quantizers,
                             Stage stage) {
  return measure_outputs(
      context, quantizers, stage, first_samples(context, samples_),
      [](const OutputPair& pair) {
        return cross_entropy(pair.changed, pair.labels) - cross_entropy(pair.base, pair.labels);
      },
      [this](const Quantizer& quantizer, int64_t values) { fail_non_finite(quantizer, values); });
}

}  // namespace qbitopt
