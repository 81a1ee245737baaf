#include "hmq.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "qbitopt/methods/budget_problem.h"
#include "qbitopt/quant/fake_quantize.h"
#include "qbitopt/quant/rounding.h"
#include "qbitopt/quant/uniform_quantizer.h"

namespace qbitopt::hmq {

using torch::Tensor;

namespace {

constexpr double kStartProbability = 0.95;
constexpr double kFirstCompression = 4, kLowestTemperature = 0.5;
constexpr int64_t kCycles = 4;
// Of the search: the cycles; the rest goes on with the last one's target.
constexpr double kCyclesShare = 2.0 / 3;
constexpr double kFullBits = 32;

bool holds_weights(const MethodContext& context, const Budget& budget) {
  return std::any_of(budget.members.begin(), budget.members.end(), [&](int member) {
    return context.quantizers()[static_cast<size_t>(member)]->spec().kind == TensorKind::kWeight;
  });
}

}  // namespace

HmqQuantizer::HmqQuantizer(QuantizerSpec any_spec, RangeInit init)
    : RelaxedQuantizer(std::move(any_spec), init) {
  const auto cells = static_cast<int64_t>(candidates().size()) * kShifts;
  theta_ = register_parameter("theta", torch::zeros({cells}));
  threshold_ = register_buffer("threshold", torch::ones({1}));
  allowed_ = register_buffer("allowed", torch::zeros({cells}));
  shift_ = register_buffer("shift", torch::zeros({1}, torch::kInt64));
}

Tensor HmqQuantizer::table_of_thresholds() const {
  std::vector<double> table;
  for (size_t i = 0; i < candidates().size(); ++i) {
    for (int shift = 0; shift < kShifts; ++shift) table.push_back(std::exp2(-shift));
  }
  return torch::tensor(table, threshold_.options()) * threshold_;
}

Tensor HmqQuantizer::table_of_steps() const {
  std::vector<double> table;
  for (const int bits : candidates()) {
    for (int shift = 0; shift < kShifts; ++shift) {
      table.push_back(std::exp2(-shift - bits + (spec().is_signed ? 1 : 0)));
    }
  }
  return torch::tensor(table, threshold_.options()) * threshold_;
}

int64_t HmqQuantizer::likeliest() const {
  const Tensor p = logits().softmax(0).view({-1, kShifts});
  const int64_t row = p.sum(1).argmax().item<int64_t>();
  return row * kShifts + p[row].argmax().item<int64_t>();
}

int HmqQuantizer::widest_allowed() const {
  const int64_t last = allowed_.isfinite().nonzero().max().item<int64_t>();
  return candidates()[static_cast<size_t>(last / kShifts)];
}

int HmqQuantizer::nearest_bits() const {
  return candidates()[static_cast<size_t>(likeliest() / kShifts)];
}

Tensor HmqQuantizer::relaxed_bits() const {
  std::vector<double> bits;
  for (const int b : candidates()) bits.insert(bits.end(), kShifts, b);
  return logits().softmax(0).dot(torch::tensor(bits, threshold_.options()));
}

void HmqQuantizer::set_bits(int bits) {
  const torch::NoGradGuard no_grad;
  const auto row = std::find(candidates().begin(), candidates().end(), bits) - candidates().begin();
  shift_.copy_(theta_.slice(0, row * kShifts, (row + 1) * kShifts).argmax());
  RelaxedQuantizer::set_bits(bits);
}

void HmqQuantizer::restrict_to(int bits) {
  const torch::NoGradGuard no_grad;
  const auto row = std::find(candidates().begin(), candidates().end(), bits) - candidates().begin();
  allowed_.fill_(-std::numeric_limits<double>::infinity());
  allowed_.slice(0, row * kShifts, (row + 1) * kShifts).zero_();
}

void HmqQuantizer::fit(const RangeObserver& observer) {
  const Tensor sample = observer.sample().flatten();
  const double largest = std::max(sample.abs().max().item<double>(), kRangeFloor);
  threshold_.fill_(std::exp2(std::ceil(std::log2(largest))));
  const int widest = widest_allowed();
  int best = 0;
  double least = std::numeric_limits<double>::infinity();
  for (int shift = 0; shift < kShifts; ++shift) {
    const Tensor moved = at(sample.to(threshold_.device()), widest, shift);
    const double error = (moved.cpu() - sample).square().mean().item<double>();
    if (error < least) {
      least = error;
      best = shift;
    }
  }
  const auto cells = allowed_.isfinite().sum().item<int64_t>();
  const auto row =
      std::find(candidates().begin(), candidates().end(), widest) - candidates().begin();
  theta_.fill_(
      std::log((1 - kStartProbability) / static_cast<double>(std::max<int64_t>(cells - 1, 1))));
  theta_[row * kShifts + best] = std::log(kStartProbability);
}

Tensor HmqQuantizer::quantize(const Tensor& a) {
  if (!is_relaxed()) return at(a, bits(), shift_in_buffer_.read(shift_));
  if (!is_training()) {
    const int64_t cell = likeliest();
    return at(a, candidates()[static_cast<size_t>(cell / kShifts)],
              static_cast<int>(cell % kShifts));
  }
  const bool by_channel = spec().kind == TensorKind::kWeight && a.dim() > 1;
  const Tensor p = gumbel_softmax(logits(), temperature_, by_channel ? a.size(1) : 1);
  std::vector<int64_t> shape(static_cast<size_t>(a.dim()), 1);
  if (by_channel) shape[1] = a.size(1);
  const Tensor step = p.mv(table_of_steps()).view(shape);
  const Tensor threshold = p.mv(table_of_thresholds()).view(shape);
  const Tensor low = spec().is_signed ? -threshold : torch::zeros_like(threshold);
  return torch::clamp(step * round_straight_through(a / step), low, threshold - step);
}

Tensor HmqQuantizer::at(const Tensor& a, int bits, int shift) const {
  const Grid grid = Grid::make(bits, spec().is_signed);
  const double steps_in_threshold = std::exp2(bits - (spec().is_signed ? 1 : 0));
  return fake_quantize(a, threshold_ * (std::exp2(-shift) / steps_in_threshold * grid.K), grid);
}

Tensor gumbel_softmax(const Tensor& logits, double temperature, int64_t rows) {
  const Tensor u = torch::rand({rows, logits.numel()}, logits.options().requires_grad(false));
  const Tensor gumbel = -(-u.clamp(1e-10, 1 - 1e-7).log()).log();
  return ((logits + gumbel) / temperature).softmax(1);
}

Tensor compression_penalty(const Tensor& average_bits, double target, double gamma) {
  return gamma * ((target - kFullBits / average_bits) / target).relu().square();
}

Cycle cycle_at(int64_t step, int64_t search_steps) {
  const int64_t length = std::max<int64_t>(
      1, std::llround(kCyclesShare * static_cast<double>(search_steps) / kCycles));
  const int64_t index = std::min(step / length, kCycles - 1);
  return {index, step - index * length};
}

double target_of(int64_t cycle, double goal) {
  const double first = std::min(kFirstCompression, goal);
  return first + (goal - first) * static_cast<double>(cycle) / (kCycles - 1);
}

Hmq::Hmq(const Parameters& parameters)
    : GradientSearch(parameters.get<double>("hmq.search")),
      gamma_(parameters.get<double>("hmq.gamma")),
      learning_rate_(parameters.get<double>("hmq.learning_rate")),
      temperature_rate_(parameters.get<double>("hmq.temperature_rate")) {}

std::shared_ptr<RelaxedQuantizer> Hmq::make_relaxed(const QuantizerSpec& spec,
                                                    const Parameters& parameters) {
  return std::make_shared<HmqQuantizer>(spec, UniformQuantizerOptions::from(parameters).range_init);
}

std::vector<ExtraParameters> Hmq::extra_parameters() {
  std::vector<ExtraParameters> groups = {
      {.tensors = all_bit_parameters(), .learning_rate = learning_rate_}};
  if (!all_range_parameters().empty()) {  // offsets
    groups.push_back({.tensors = all_range_parameters(), .learning_rate = 1e-3});
  }
  return groups;
}

void Hmq::start(MethodContext& context) {
  const std::vector<int> uniform = uniform_bits(context.problem());
  for (size_t i = 0; i < uniform.size(); ++i) {
    const auto quantizer = std::dynamic_pointer_cast<HmqQuantizer>(context.quantizers()[i]);
    if (quantizer && quantizer->spec().kind == TensorKind::kActivation) {
      quantizer->restrict_to(uniform[i]);
    }
  }
  GradientSearch::start(context);
}

void Hmq::before_step(MethodContext& context, const StepState& state) {
  const Cycle cycle = cycle_at(state.step, phases(context.total_steps()).front().steps);
  const double temperature =
      std::max(kLowestTemperature, std::exp(-temperature_rate_ * static_cast<double>(cycle.step)));
  for (const auto& quantizer : relaxed()) {
    std::static_pointer_cast<HmqQuantizer>(quantizer)->set_temperature(temperature);
  }
}

Tensor Hmq::penalty(MethodContext& context, const StepState& state) {
  Tensor sum = torch::zeros({}, state.loss.options());
  for (const Budget& budget : context.problem().budgets) {
    if (!holds_weights(context, budget)) continue;
    const double goal = kFullBits / budget.average_bits.to_double();
    const double target = target_of(cycle_at(state.step, state.phase->steps).index, goal);
    sum = sum + compression_penalty(average_bits(context.problem(), budget, context.quantizers()),
                                    target, gamma_);
  }
  return sum;
}

}  // namespace qbitopt::hmq
