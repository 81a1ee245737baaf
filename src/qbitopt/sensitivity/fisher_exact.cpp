#include "qbitopt/sensitivity/fisher_exact.h"

#include "qbitopt/sensitivity/fisher_loan.h"
#include "qbitopt/sensitivity/fit.h"

namespace qbitopt {

CostTable FisherExact::measure(SensitivityContext& context, const UniformQuantizers& quantizers,
                               Stage) {
  FisherLoan loan(quantizers, FisherWeights::kBatch, /*passes=*/1);  // of one sample: |g|^2
  int64_t samples = 0;
  for (const auto& [images, labels] : first_samples(context, samples_)) {
    const torch::Tensor losses = torch::cross_entropy_loss(context.forward(images), labels,
                                                           /*weight=*/{}, at::Reduction::None);
    for (int64_t i = 0; i < losses.size(0); ++i, ++samples) {
      loan.backward(losses[i], /*retain_graph=*/true);
      loan.end_step(1);
    }
  }

  CostTable table;
  int64_t left_out = 0;
  for (const auto& quantizer : quantizers) {
    const int64_t finite = quantizer->fisher()->steps();
    if (finite == 0) fail_non_finite(*quantizer, samples);
    left_out += samples - finite;
    const std::vector<double> trace = quantizer->fisher()->trace();
    std::vector<double>& row = table.costs.emplace_back();
    for (const int bits : quantizer->spec().candidate_bits) {
      row.push_back(fit_cost(*quantizer, trace, bits));
    }
  }
  table.note = non_finite_note(left_out, samples * static_cast<int64_t>(quantizers.size()),
                               "gradients of a sample");
  return table;
}

}  // namespace qbitopt
