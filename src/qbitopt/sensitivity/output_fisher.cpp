#include "qbitopt/sensitivity/output_fisher.h"

#include <ATen/CPUGeneratorImpl.h>

#include "qbitopt/core/random.h"
#include "qbitopt/sensitivity/fisher_loan.h"

namespace qbitopt {
namespace {

using torch::Tensor;

// Drawn on the CPU: the same on every device.
Tensor drawn_labels(const Tensor& logits, const at::Generator& generator) {
  const Tensor p = logits.detach().to(torch::kCPU, torch::kFloat64).softmax(1);
  return torch::multinomial(p, 1, /*replacement=*/true, generator).squeeze(1).to(logits.device());
}

Tensor drawn_signs(const Tensor& logits, const at::Generator& generator) {
  const Tensor bits = torch::empty({logits.size(0)}, torch::kFloat64).bernoulli_(0.5, generator);
  return (2 * bits - 1).to(logits.device(), logits.scalar_type());
}

}  // namespace

CostTable OutputFisher::measure(SensitivityContext& context, const UniformQuantizers& quantizers,
                                Stage) {
  Random random(context.seed, "sensitivity.output_fisher", static_cast<uint64_t>(context.step));
  const at::Generator generator = at::detail::createCPUGenerator(random.next());
  FisherLoan loan(quantizers, FisherWeights::kBatch, /*passes=*/1);
  for (const auto& [images, labels] : first_samples(context, samples_)) {
    const Tensor logits = context.forward(images);
    for (int draw = 0; draw < draws_; ++draw) {
      const Tensor losses = torch::cross_entropy_loss(logits, drawn_labels(logits, generator),
                                                      /*weight=*/{}, at::Reduction::None);
      loan.backward((losses * drawn_signs(logits, generator)).mean(), /*retain_graph=*/true);
      loan.end_step(images.size(0));
    }
  }
  return loan.costs("gradients of a draw", [this](const Quantizer& quantizer, int64_t values) {
    fail_non_finite(quantizer, values);
  });
}

}  // namespace qbitopt
