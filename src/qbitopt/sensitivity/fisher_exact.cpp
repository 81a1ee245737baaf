#include "qbitopt/sensitivity/fisher_exact.h"

#include "qbitopt/sensitivity/fisher_loan.h"

namespace qbitopt {

CostTable FisherExact::measure(SensitivityContext& context, const UniformQuantizers& quantizers,
                               Stage) {
  FisherLoan loan(quantizers, FisherWeights::kBatch, /*passes=*/1);  // of one sample: |g|^2
  for (const auto& [images, labels] : first_samples(context, samples_)) {
    const torch::Tensor losses = torch::cross_entropy_loss(context.forward(images), labels,
                                                           /*weight=*/{}, at::Reduction::None);
    for (int64_t i = 0; i < losses.size(0); ++i) {
      loan.backward(losses[i], /*retain_graph=*/true);
      loan.end_step(1);
    }
  }
  return loan.costs("gradients of a sample", [this](const Quantizer& quantizer, int64_t values) {
    fail_non_finite(quantizer, values);
  });
}

}  // namespace qbitopt
