#include "qbitopt/methods/reallocation_event.h"

#include <cmath>

#include "qbitopt/allocation/budget_check.h"
#include "qbitopt/core/error.h"
#include "qbitopt/quant/uniform_quantizer.h"

namespace qbitopt {

Reallocation describe_bits(MethodContext& context, int64_t step) {
  Reallocation event;
  event.step = step;
  for (const QuantizerPtr& quantizer : context.quantizers()) {
    event.bits.push_back(quantizer->bits());
    const auto uniform = std::dynamic_pointer_cast<UniformQuantizer>(quantizer);
    if (!uniform) continue;
    const double range = uniform->range().detach().mean().item<double>();
    if (!std::isfinite(range)) {
      throw JobError("non_finite",
                     "the range of '" + quantizer->spec().name + "' is not finite after " +
                         std::to_string(step) +
                         " steps; a smaller learning rate, or a longer warm-up, may help");
    }
    event.ranges.push_back(range);
  }
  if (event.ranges.size() != event.bits.size()) event.ranges.clear();
  for (const BudgetCheck& check : check_budgets(context.problem(), event.bits)) {
    event.budgets.push_back({check.name, check.limit, check.achieved});
  }
  return event;
}

}  // namespace qbitopt
