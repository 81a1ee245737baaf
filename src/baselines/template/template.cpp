#include "template.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "qbitopt/methods/reallocation_event.h"
#include "qbitopt/quant/uniform_quantizer.h"

namespace qbitopt::template_baseline {
namespace {

int64_t used(const MethodContext& context, const Budget& budget) {
  int64_t bits = 0;
  for (const int i : budget.members) {
    bits += context.problem().quantizers[i].weight * context.quantizers()[i]->bits();
  }
  return bits;
}

// The widest candidate below the present bits; 0 if there is none.
int next_below(const AllocationQuantizer& quantizer, int bits) {
  int below = 0;
  for (const int candidate : quantizer.bits) {
    if (candidate < bits) below = candidate;
  }
  return below;
}

double range_of(const Quantizer& quantizer) {
  const auto& uniform = dynamic_cast<const UniformQuantizer&>(quantizer);
  return uniform.range().mean().item<double>();
}

// Narrows the budget's cheapest member by one candidate.
void narrow_one(MethodContext& context, const Budget& budget) {
  double least = std::numeric_limits<double>::infinity();
  Quantizer* chosen = nullptr;
  int chosen_bits = 0;
  for (const int i : budget.members) {
    const AllocationQuantizer& choices = context.problem().quantizers[i];
    Quantizer& quantizer = *context.quantizers()[i];
    const int bits = quantizer.bits();
    const int below = next_below(choices, bits);
    if (below == 0 || choices.weight == 0) continue;
    const int64_t elements = quantizer.spec().elements;
    const double range = range_of(quantizer);
    const double rise = noise_energy(elements, range, below) - noise_energy(elements, range, bits);
    const double price = rise / static_cast<double>(choices.weight * (bits - below));
    if (price >= least) continue;
    least = price;
    chosen = &quantizer;
    chosen_bits = below;
  }
  chosen->set_bits(chosen_bits);  // the harness refuses budgets that no candidates meet
}

}  // namespace

double noise_energy(int64_t elements, double range, int bits) {
  const double step = range / (std::exp2(bits) - 1);
  return static_cast<double>(elements) * step * step / 12;
}

int64_t allowance(const Problem& problem, const Budget& budget, double done) {
  int64_t widest = 0;
  for (const int i : budget.members) {
    widest += problem.quantizers[i].weight * problem.quantizers[i].bits.back();
  }
  const int64_t least = capacity(budget, problem);
  const double left =
      std::max(0.0, 1 - done) * static_cast<double>(std::max<int64_t>(0, widest - least));
  return least + static_cast<int64_t>(left);
}

Template::Template(const Parameters& parameters)
    : until_(parameters.get<double>("template.until")) {}

void Template::start(MethodContext& context) {
  const auto& choices = context.problem().quantizers;
  for (size_t i = 0; i < choices.size(); ++i) {
    context.quantizers()[i]->set_bits(choices[i].bits.back());
  }
  context.calibrate_ranges();
  Reallocation event = describe_bits(context, /*step=*/0);
  event.status = "initial";
  context.report(std::move(event));
}

void Template::after_step(MethodContext& context, const StepState& state) {
  const int64_t steps_done = state.step + 1;
  const double done =
      static_cast<double>(steps_done) / (until_ * static_cast<double>(context.total_steps()));
  bool has_changed = false;
  for (const Budget& budget : context.problem().budgets) {
    const int64_t allowed = allowance(context.problem(), budget, done);
    while (used(context, budget) > allowed) {
      narrow_one(context, budget);
      has_changed = true;
    }
  }
  if (!has_changed) return;
  Reallocation event = describe_bits(context, steps_done);
  event.status = done < 1 ? "initial" : "feasible";
  context.report(std::move(event));
}

}  // namespace qbitopt::template_baseline
