#pragma once

#include "qbitopt/job/event.h"
#include "qbitopt/methods/method.h"

namespace qbitopt {

// The present bits and ranges of all quantizers, and how they stand against the budgets; the
// solver's fields are left as they are. A range per channel is told by its mean.
Reallocation describe_bits(MethodContext& context, int64_t step);

}  // namespace qbitopt
