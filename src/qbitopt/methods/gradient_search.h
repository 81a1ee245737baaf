#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "qbitopt/methods/method.h"
#include "qbitopt/methods/relaxed_quantizer.h"

namespace qbitopt {

// What methods share that learn bit-widths by gradient descent: for a fraction of the steps bits
// are relaxed and a penalty pulls them toward the budget ("search"); then every quantizer gets an
// integer, and the rest of the steps trains with it ("finetune"). Such a method promises no budget:
// it ends where it ends. Pinned tensors keep the standard quantizer.
class GradientSearch : public Method {
 public:
  // search_fraction: in (0, 1]; 1: bits are decided after the last step. `afterwards`: the second
  // phase, but for its steps.
  explicit GradientSearch(double search_fraction, Phase afterwards = {"finetune"});

  QuantizerPtr make_quantizer(const QuantizerSpec& spec, const Parameters& parameters) final;
  std::vector<Phase> phases(int64_t total_steps) const final;
  void start(MethodContext& context) override;
  void begin_phase(MethodContext& context, const Phase& phase) override;
  torch::Tensor loss_term(MethodContext& context, const StepState& state) final;
  void after_step(MethodContext& context, const StepState& state) override;
  void finish(MethodContext& context) override;

 protected:
  virtual std::shared_ptr<RelaxedQuantizer> make_relaxed(const QuantizerSpec& spec,
                                                         const Parameters& parameters) = 0;
  // Added to the loss while searching.
  virtual torch::Tensor penalty(MethodContext& context, const StepState& state) = 0;
  // Ends the search. Default: each quantizer keeps the bits that it is at.
  virtual void decide(MethodContext& context);

  // In the network's order, without the pinned ones.
  const std::vector<std::shared_ptr<RelaxedQuantizer>>& relaxed() const { return relaxed_; }
  // Everything that relaxed_bits() and the ranges depend on, for extra_parameters().
  std::vector<torch::Tensor> all_bit_parameters() const;
  std::vector<torch::Tensor> all_range_parameters() const;
  // Both, by stochastic gradient descent with momentum 0.9, at rates that follow the schedule.
  std::vector<ExtraParameters> by_gradient_descent(double bits_rate, double range_rate) const;

 private:
  bool is_searching() const;
  void tell_bits(MethodContext& context, int64_t step);

  double search_fraction_;
  Phase afterwards_;
  std::vector<std::shared_ptr<RelaxedQuantizer>> relaxed_;
};

// sum(w_q b_q) / sum(w_q) over a budget's members, with a graph: relaxed quantizers count with
// relaxed_bits(), or what `counted` makes of them, others with bits(). `quantizers` in the
// problem's order.
torch::Tensor average_bits(
    const Problem& problem, const Budget& budget, const std::vector<QuantizerPtr>& quantizers,
    const std::function<torch::Tensor(const torch::Tensor& bits)>& counted = {});

}  // namespace qbitopt
