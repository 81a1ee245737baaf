#include "qbitopt/methods/allocation_method.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <map>
#include <stdexcept>

#include "qbitopt/allocation/budget_check.h"
#include "qbitopt/core/error.h"
#include "qbitopt/methods/budget_problem.h"
#include "qbitopt/methods/reallocation_event.h"
#include "qbitopt/models/batch_norm.h"

namespace qbitopt {
namespace {

// While it lives: batch norm with its running statistics, or as in the training step at hand (on the
// batch's statistics, which it forgets afterwards, until it is frozen); and no dropout, whose chance
// would drown the differences between forward passes.
class MeasuringMode {
 public:
  MeasuringMode(Network& network, bool running_statistics) {
    const auto norms = batch_norms(network);
    const bool uses_batches = std::any_of(norms.begin(), norms.end(),
                                          [](const auto* norm) { return norm->is_training(); });
    if (uses_batches && !running_statistics) {
      batch_.emplace(network);
    } else {
      running_.emplace(network);
    }
  }

 private:
  std::optional<BatchStatisticsScope> batch_;
  std::optional<RunningStatisticsScope> running_;
};

Problem with_costs(const MethodContext& context, const std::vector<QuantizerPtr>& quantizers,
                   const CostTable& table) {
  Problem problem = context.problem();
  for (size_t i = 0; i < quantizers.size(); ++i) {
    const QuantizerSpec& spec = quantizers[i]->spec();
    // The one candidate of a pinned quantizer costs nothing: it is no choice.
    if (!spec.pinned_bits) problem.quantizers[i].costs = table.costs.at(i);
  }
  return problem;
}

std::vector<std::map<int, double>> by_candidate(const std::vector<QuantizerPtr>& quantizers,
                                                const CostTable& table) {
  std::vector<std::map<int, double>> costs(quantizers.size());
  for (size_t q = 0; q < quantizers.size(); ++q) {
    const std::vector<int>& candidates = quantizers[q]->spec().candidate_bits;
    for (size_t i = 0; i < candidates.size(); ++i) costs[q][candidates[i]] = table.costs[q][i];
  }
  return costs;
}

template <typename Predicate>
bool any_cost(const Problem& problem, const Predicate& predicate) {
  return std::any_of(problem.quantizers.begin(), problem.quantizers.end(),
                     [&](const AllocationQuantizer& quantizer) {
                       return std::any_of(quantizer.costs.begin(), quantizer.costs.end(),
                                          predicate);
                     });
}

double cost_at(const AllocationQuantizer& quantizer, int bits) {
  const auto found = std::find(quantizer.bits.begin(), quantizer.bits.end(), bits);
  if (found == quantizer.bits.end()) return std::numeric_limits<double>::infinity();
  return quantizer.costs[static_cast<size_t>(found - quantizer.bits.begin())];
}

std::vector<int> bits_of(const std::vector<QuantizerPtr>& quantizers) {
  std::vector<int> bits;
  for (const QuantizerPtr& quantizer : quantizers) bits.push_back(quantizer->bits());
  return bits;
}

// Whether every quantizer may have its bits, and all together keep the budgets.
bool is_allowed(const Problem& problem, const std::vector<int>& bits) {
  for (size_t i = 0; i < bits.size(); ++i) {
    if (!std::isfinite(cost_at(problem.quantizers[i], bits[i]))) return false;
  }
  return is_within_budgets(problem, bits);
}

// Puts the old bits back into the solution unless the objective falls by at least `min_gain`.
void keep_unless_better(const Problem& problem, const std::vector<int>& old_bits, double min_gain,
                        Solution& solution) {
  double old_objective = 0;
  for (size_t i = 0; i < old_bits.size(); ++i) {
    old_objective += cost_at(problem.quantizers[i], old_bits[i]);
  }
  if (solution.objective <= old_objective - min_gain * std::abs(old_objective)) return;
  solution.bits = old_bits;
  solution.objective = old_objective;
  solution.gap = (old_objective - solution.bound) / std::abs(old_objective);
  solution.status = SolutionStatus::kFeasible;
}

}  // namespace

ReallocationSchedule ReallocationSchedule::from(const Parameters& parameters) {
  ReallocationSchedule schedule;
  schedule.tau = parameters.get<int64_t>("reallocation.tau");
  if (parameters.has("reallocation.until"))
    schedule.until = parameters.get<double>("reallocation.until");
  schedule.min_gain = parameters.get_or("reallocation.min_gain", 0.0);
  return schedule;
}

bool ReallocationSchedule::is_due(const TrainingProgress& now) const {
  if (now.steps_done % tau != 0 || now.total_steps - now.steps_done < tau) return false;
  if (until)
    return static_cast<double>(now.steps_done) <= *until * static_cast<double>(now.total_steps);
  return now.steps_done < now.batch_norm_freeze_step &&
         now.learning_rate_factor >= kLeastLearningRate;
}

AllocationMethod::AllocationMethod(std::unique_ptr<Sensitivity> sensitivity,
                                   std::unique_ptr<Solver> solver,
                                   std::optional<ReallocationSchedule> schedule,
                                   int sensitivity_bits)
    : sensitivity_(std::move(sensitivity)),
      solver_(std::move(solver)),
      schedule_(schedule),
      sensitivity_bits_(sensitivity_bits) {}

int AllocationMethod::backward_passes_per_step() const {
  return schedule_ ? sensitivity_->backward_passes_per_step() : 1;
}

void AllocationMethod::prepare(MethodContext& context) {
  if (schedule_) sensitivity_->start(context.quantizers());
}

void AllocationMethod::start(MethodContext& context) {
  if (context.starts_quantized() && is_allowed(context.problem(), bits_of(context.quantizers()))) {
    Reallocation event = describe_bits(context, /*step=*/0);
    event.status = "initial";
    context.report(std::move(event));
  } else {
    const std::vector<int> first = sensitivity_bits_ > 0
                                       ? uniform_bits(context.problem(), sensitivity_bits_)
                                       : uniform_bits(context.problem());
    for (size_t i = 0; i < first.size(); ++i) context.quantizers()[i]->set_bits(first[i]);
    context.calibrate_ranges();
    choose(context, /*step=*/0);
  }
  if (schedule_) warn_if_never_due(context);
}

void AllocationMethod::warn_if_never_due(MethodContext& context) {
  const int64_t freeze = context.batch_norm_freeze_step();
  if (schedule_->until || schedule_->is_due({schedule_->tau, context.total_steps(), freeze}))
    return;
  context.report(Note{
      "warning", fmt::format("the bits stay as they are first chosen: no reallocation fits between "
                             "step reallocation.tau = {} and {} (of {} steps); lower "
                             "reallocation.tau, or set reallocation.until",
                             schedule_->tau,
                             freeze < context.total_steps()
                                 ? fmt::format("the freeze of batch norm at step {}", freeze)
                                 : "the last tau steps",
                             context.total_steps())});
}

// What was measured under other weights, or under another batch norm, says nothing of those to come.
void AllocationMethod::begin_phase(MethodContext& context, const Phase& phase) {
  if (schedule_ && (phase.restart_from_checkpoint || phase.restart_schedule))
    sensitivity_->forget(context.quantizers());
}

void AllocationMethod::before_step(MethodContext& context, const StepState& state) {
  if (schedule_ && state.step > 0 && state.step == context.batch_norm_freeze_step())
    sensitivity_->forget(context.quantizers());
}

CostTable AllocationMethod::measure(MethodContext& context, int64_t step) {
  const MeasuringMode mode(context.network(), sensitivity_->uses_running_statistics());
  SensitivityContext sensitivity{
      .quantizers = context.quantizers(),
      .forward = [&](const torch::Tensor& images) { return context.network().forward(images); },
      .batches =
          [&] {
            std::vector<std::pair<torch::Tensor, torch::Tensor>> batches;
            for (const Batch& batch : context.calibration_batches()) {
              batches.emplace_back(batch.images, batch.labels);
            }
            return batches;
          },
      .seed = context.seed(),
      .step = step,
      .keeps_ranges = context.starts_quantized()};
  return step == 0 ? sensitivity_->estimate(sensitivity) : sensitivity_->current(sensitivity);
}

void AllocationMethod::choose(MethodContext& context, int64_t step) {
  const auto begun = std::chrono::steady_clock::now();
  const CostTable table = measure(context, step);
  const Problem problem = with_costs(context, context.quantizers(), table);
  if (any_cost(problem, [](double cost) { return std::isnan(cost); }))
    describe_bits(context, step);  // names the range that is not finite
  const std::chrono::duration<double> measured = std::chrono::steady_clock::now() - begun;

  const std::vector<int> old_bits = bits_of(context.quantizers());
  Solution solution = solver_->solve(
      problem, {.start_bits = old_bits, .seed = context.seed() + static_cast<uint64_t>(step)});
  if (solution.status == SolutionStatus::kInfeasible) {
    throw std::logic_error("the budgets became infeasible during training");
  }
  const bool says_nothing =
      solver_->looks_at_costs() && !any_cost(problem, [](double cost) { return cost != 0; });
  if (says_nothing) {
    solution.bits = old_bits;
  } else if (step > 0 && solver_->looks_at_costs()) {
    keep_unless_better(problem, old_bits, schedule_->min_gain, solution);
  }
  for (size_t i = 0; i < old_bits.size(); ++i) {
    context.quantizers()[i]->set_bits(solution.bits[i]);
  }
  if (step == 0) context.calibrate_ranges();

  Reallocation event = describe_bits(context, step);
  event.solver = solution.solver;
  event.status = to_string(solution.status);
  event.objective = solution.objective;
  if (std::isfinite(solution.bound)) event.bound = solution.bound;
  if (std::isfinite(solution.gap)) event.gap = solution.gap;
  event.solve_microseconds = solution.microseconds;
  event.sensitivity_seconds = measured.count();
  for (size_t i = 0; i < old_bits.size(); ++i) {
    event.sensitivities.push_back(cost_at(problem.quantizers[i], solution.bits[i]));
  }
  event.costs = by_candidate(context.quantizers(), table);
  event.cost_unit = table.unit;
  context.report(std::move(event));
  if (!table.accuracy.empty()) context.report(Note{"info", table.accuracy});
  if (!table.note.empty()) context.report(Note{"warning", table.note});
  if (says_nothing) {
    context.report(Note{"warning", "step " + std::to_string(step) +
                                       ": every sensitivity is 0, so the bits stay: the loss does "
                                       "not depend on what is quantized (is the network's output "
                                       "constant?)"});
  }
}

void AllocationMethod::save(torch::serialize::OutputArchive& archive) const {
  sensitivity_->save(archive);
}

void AllocationMethod::load(torch::serialize::InputArchive& archive) {
  sensitivity_->load(archive);
}

void AllocationMethod::after_backward(MethodContext& context, const StepState& state) {
  if (!schedule_) return;
  sensitivity_->observe_step(context.quantizers(), state.batch->labels.size(0), state.loss_scale);
}

void AllocationMethod::after_step(MethodContext& context, const StepState& state) {
  const TrainingProgress now{state.step + 1, context.total_steps(),
                             context.batch_norm_freeze_step(), state.learning_rate_factor};
  if (schedule_ && schedule_->is_due(now)) choose(context, now.steps_done);
}

}  // namespace qbitopt
