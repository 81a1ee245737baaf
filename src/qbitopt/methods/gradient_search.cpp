#include "qbitopt/methods/gradient_search.h"

#include <algorithm>
#include <cmath>

#include "qbitopt/core/error.h"
#include "qbitopt/methods/reallocation_event.h"

namespace qbitopt {
namespace {

// How often a search tells its bits, in parts of all steps.
constexpr int64_t kTellings = 20;

}  // namespace

GradientSearch::GradientSearch(double search_fraction, Phase afterwards)
    : search_fraction_(search_fraction), afterwards_(std::move(afterwards)) {
  if (!(search_fraction > 0 && search_fraction <= 1)) {
    throw InputError("the search takes " + std::to_string(search_fraction) +
                     " of the steps; expected more than 0 and at most 1");
  }
}

QuantizerPtr GradientSearch::make_quantizer(const QuantizerSpec& spec,
                                            const Parameters& parameters) {
  if (spec.pinned_bits) return Method::make_quantizer(spec, parameters);
  relaxed_.push_back(make_relaxed(spec, parameters));
  return relaxed_.back();
}

std::vector<Phase> GradientSearch::phases(int64_t total_steps) const {
  const int64_t search = std::clamp<int64_t>(
      std::llround(search_fraction_ * static_cast<double>(total_steps)), 1, total_steps);
  if (search == total_steps) return {{"search", search}};
  Phase afterwards = afterwards_;
  afterwards.steps = total_steps - search;
  return {{"search", search}, afterwards};
}

void GradientSearch::start(MethodContext& context) {
  context.calibrate_ranges();
  tell_bits(context, 0);
}

void GradientSearch::begin_phase(MethodContext& context, const Phase& phase) {
  if (phase.name == "search") return;
  decide(context);
  tell_bits(context, context.total_steps() - phase.steps);
}

torch::Tensor GradientSearch::loss_term(MethodContext& context, const StepState& state) {
  return is_searching() ? penalty(context, state) : torch::Tensor();
}

void GradientSearch::after_step(MethodContext& context, const StepState& state) {
  const int64_t done = state.step + 1;
  const int64_t every = std::max<int64_t>(1, context.total_steps() / kTellings);
  const bool is_last = done >= phases(context.total_steps()).front().steps;
  if (!is_last && done % every == 0) tell_bits(context, done);
}

void GradientSearch::finish(MethodContext& context) {
  if (!is_searching()) return;
  decide(context);
  tell_bits(context, context.total_steps());
}

void GradientSearch::decide(MethodContext& context) {
  for (const auto& quantizer : relaxed_) quantizer->set_bits(quantizer->bits());
}

std::vector<torch::Tensor> GradientSearch::all_bit_parameters() const {
  std::vector<torch::Tensor> all;
  for (const auto& quantizer : relaxed_) {
    for (const torch::Tensor& tensor : quantizer->bit_parameters()) all.push_back(tensor);
  }
  return all;
}

std::vector<torch::Tensor> GradientSearch::all_range_parameters() const {
  std::vector<torch::Tensor> all;
  for (const auto& quantizer : relaxed_) {
    for (const torch::Tensor& tensor : quantizer->range_parameters()) all.push_back(tensor);
  }
  return all;
}

std::vector<ExtraParameters> GradientSearch::by_gradient_descent(double bits_rate,
                                                                 double range_rate) const {
  const auto group = [](std::vector<torch::Tensor> tensors, double rate) {
    return ExtraParameters{.tensors = std::move(tensors),
                           .optimizer = "sgd",
                           .learning_rate = rate,
                           .momentum = 0.9,
                           .follows_schedule = true};
  };
  return {group(all_bit_parameters(), bits_rate), group(all_range_parameters(), range_rate)};
}

bool GradientSearch::is_searching() const {
  return !relaxed_.empty() && relaxed_.front()->is_relaxed();
}

void GradientSearch::tell_bits(MethodContext& context, int64_t step) {
  Reallocation event = describe_bits(context, step);
  const bool is_met = std::all_of(event.budgets.begin(), event.budgets.end(),
                                  [](const BudgetState& b) { return b.achieved <= *b.limit; });
  event.status = step == 0 ? "initial" : is_met ? "feasible" : "over_budget";
  context.report(std::move(event));
}

torch::Tensor average_bits(const Problem& problem, const Budget& budget,
                           const std::vector<QuantizerPtr>& quantizers,
                           const std::function<torch::Tensor(const torch::Tensor&)>& counted) {
  double total = 0, constant = 0;
  std::vector<torch::Tensor> bits;
  std::vector<double> weights;
  for (const int member : budget.members) {
    const auto weight = static_cast<double>(problem.quantizers[member].weight);
    total += weight;
    const auto relaxed = std::dynamic_pointer_cast<RelaxedQuantizer>(quantizers[member]);
    if (relaxed && relaxed->is_relaxed()) {
      bits.push_back(relaxed->relaxed_bits());
      weights.push_back(weight);
    } else {
      constant += weight * quantizers[member]->bits();
    }
  }
  if (bits.empty()) return torch::full({}, constant / total);
  torch::Tensor stacked = torch::stack(bits);
  if (counted) stacked = counted(stacked);
  const torch::Tensor shares = torch::tensor(weights, stacked.options()) / total;
  return stacked.dot(shares) + constant / total;
}

}  // namespace qbitopt
