#include "qbitopt/sensitivity/output_kl.h"

#include "qbitopt/sensitivity/candidate_outputs.h"

namespace qbitopt {

CostTable OutputKl::measure(SensitivityContext& context, const UniformQuantizers& quantizers,
                            Stage stage) {
  return measure_outputs(
      context, quantizers, stage, first_samples(context, samples_),
      [](const OutputPair& pair) {
        const torch::Tensor log_p = pair.base.log_softmax(1, torch::kFloat64);
        const torch::Tensor log_q = pair.changed.log_softmax(1, torch::kFloat64);
        return (log_p.exp() * (log_p - log_q)).sum(1);
      },
      [this](const Quantizer& quantizer, int64_t values) { fail_non_finite(quantizer, values); });
}

}  // namespace qbitopt
