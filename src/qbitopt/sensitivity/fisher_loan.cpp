#include "qbitopt/sensitivity/fisher_loan.h"

#include <torch/autograd.h>

#include "qbitopt/sensitivity/fit.h"

namespace qbitopt {

FisherLoan::FisherLoan(const UniformQuantizers& quantizers, FisherWeights weights, int passes)
    : quantizers_(quantizers) {
  for (const auto& quantizer : quantizers) {
    const bool was_tracked = quantizer->fisher() != nullptr;
    quantizer->track_fisher(true);
    FisherEstimate& fisher = *quantizer->fisher();
    before_.push_back(
        {fisher.state().clone(), fisher.decay(), fisher.weights(), fisher.passes(), was_tracked});
    ranges_.push_back(quantizer->range());
    fisher.reset();
    if (quantizer->spec().kind == TensorKind::kWeight) fisher.set_weights(weights, passes);
  }
}

FisherLoan::~FisherLoan() {
  for (size_t i = 0; i < quantizers_.size(); ++i) {
    FisherEstimate& fisher = *quantizers_[i]->fisher();
    fisher.reset();
    fisher.state().copy_(before_[i].state);
    fisher.set_decay(before_[i].decay);
    fisher.set_weights(before_[i].weights, before_[i].passes);
    quantizers_[i]->track_fisher(before_[i].was_tracked);
  }
}

void FisherLoan::backward(const torch::Tensor& loss, bool retain_graph) {
  // Gradients of ranges reach every quantizer and leave .grad of the parameters alone.
  torch::autograd::grad({loss}, ranges_, {}, retain_graph, /*create_graph=*/false,
                        /*allow_unused=*/true);
}

void FisherLoan::end_step(int64_t samples) {
  // A decay of i / (i + 1) makes the average the plain mean.
  const double mean_decay = static_cast<double>(steps_) / static_cast<double>(steps_ + 1);
  for (const auto& quantizer : quantizers_) {
    quantizer->fisher()->set_decay(mean_decay);
    quantizer->fisher()->end_step(samples);
  }
  ++steps_;
}

CostTable FisherLoan::costs(const std::string& things,
                            const std::function<void(const Quantizer&, int64_t)>& fail) const {
  CostTable table;
  int64_t left_out = 0;
  for (const auto& quantizer : quantizers_) {
    const int64_t finite = quantizer->fisher()->steps();
    if (finite == 0) fail(*quantizer, steps_);
    left_out += steps_ - finite;
    const std::vector<double> trace = quantizer->fisher()->trace();
    std::vector<double>& row = table.costs.emplace_back();
    for (const int bits : quantizer->spec().candidate_bits) {
      row.push_back(fit_cost(*quantizer, trace, bits));
    }
  }
  table.note = non_finite_note(left_out, steps_ * static_cast<int64_t>(quantizers_.size()), things);
  return table;
}

}  // namespace qbitopt
