#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "qbitopt/allocation/problem.h"
#include "qbitopt/core/parameters.h"
#include "qbitopt/quant/quantizer.h"

namespace qbitopt {

// A job's budgets (budget.*) over its quantisers, as a problem without costs: every cost is 0. A
// pinned quantiser has its pinned bits as the only candidate. Only counted ones are members of a
// budget; `weight` and `activation` budgets hold their own kind, `joint` both.
// Throws InputError if the job has no budget, or one that no bits can meet: it names the smallest
// that can be met.
Problem budget_problem(const std::vector<QuantizerSpec>& specs, const Parameters& parameters);

// What a tensor counts in an average of bits: its elements, 1, or its layer's MACs
// (budget.weighting).
int64_t budget_weight(const QuantizerSpec& spec, const Parameters& parameters);

// The tightest of a job's limits on the average bits of a kind; infinity if it has none.
double budget_bits(TensorKind kind, const Parameters& parameters);

// The largest candidate that all tensors of a kind can have together: what the budget leaves beside
// pinned ones, rounded down to a candidate. Of each quantiser; pinned ones keep their bits.
std::vector<int> uniform_bits(const Problem& problem);

}  // namespace qbitopt
