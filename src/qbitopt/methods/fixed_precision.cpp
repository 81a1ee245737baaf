#include "qbitopt/methods/fixed_precision.h"

#include "qbitopt/methods/budget_problem.h"
#include "qbitopt/methods/reallocation_event.h"

namespace qbitopt {

void start_with_bits(MethodContext& context, const std::vector<int>& bits) {
  for (size_t i = 0; i < bits.size(); ++i) context.quantizers()[i]->set_bits(bits[i]);
  context.calibrate_ranges();
  Reallocation event = describe_bits(context, /*step=*/0);
  event.status = "initial";
  context.report(std::move(event));
}

void FixedPrecision::start(MethodContext& context) {
  start_with_bits(context, uniform_bits(context.problem()));
}

}  // namespace qbitopt
