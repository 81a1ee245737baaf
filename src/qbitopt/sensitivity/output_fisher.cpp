#include "qbitopt/sensitivity/output_fisher.h"

#include <ATen/CPUGeneratorImpl.h>

#include "qbitopt/core/random.h"
#include "qbitopt/sensitivity/fisher_loan.h"
#include "qbitopt/sensitivity/fit.h"

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
  int64_t passes = 0;
  for (const auto& [images, labels] : first_samples(context, samples_)) {
    const Tensor logits = context.forward(images);
    for (int draw = 0; draw < draws_; ++draw, ++passes) {
      const Tensor losses = torch::cross_entropy_loss(logits, drawn_labels(logits, generator),
                                                      /*weight=*/{}, at::Reduction::None);
      loan.backward((losses * drawn_signs(logits, generator)).mean(), /*retain_graph=*/true);
      loan.end_step(images.size(0));
    }
  }

  CostTable table;
  int64_t left_out = 0;
  for (const auto& quantizer : quantizers) {
    const int64_t finite = quantizer->fisher()->steps();
    if (finite == 0) fail_non_finite(*quantizer, passes);
    left_out += passes - finite;
    const std::vector<double> trace = quantizer->fisher()->trace();
    std::vector<double>& row = table.costs.emplace_back();
    for (const int bits : quantizer->spec().candidate_bits) {
      row.push_back(fit_cost(*quantizer, trace, bits));
    }
  }
  table.note = non_finite_note(left_out, passes * static_cast<int64_t>(quantizers.size()),
                               "gradients of a draw");
  return table;
}

}  // namespace qbitopt
