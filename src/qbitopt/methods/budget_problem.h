#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "qbitopt/allocation/problem.h"
#include "qbitopt/core/parameters.h"
#include "qbitopt/job/budget_kinds.h"
#include "qbitopt/quant/quantizer.h"

namespace qbitopt {

// A job's budgets (see budget_kinds.h) over its quantizers, as a problem without costs: every cost
// is 0. A pinned quantizer has its pinned bits as the only candidate. Only counted ones are members
// of a budget on average bits or bytes. Bit operations are those of the layers whose weight is
// counted, whether or not their input is; a layer whose input stays in float32 has none.
// Throws InputError if the job has no budget, one in bytes while budget.weighting counts something
// else than elements, or one that no bits can meet: it names the smallest that can be met.
Problem budget_problem(const std::vector<QuantizerSpec>& specs, const Parameters& parameters);

// What a tensor counts in an average of bits: its elements, 1, or its layer's MACs
// (budget.weighting).
int64_t budget_weight(const QuantizerSpec& spec, const Parameters& parameters);

// What these bits, one per quantizer, use of a kind of budget, in its unit, whether or not the job
// limits it.
double budget_use(const BudgetKind& kind, const std::vector<QuantizerSpec>& specs,
                  const Parameters& parameters, const std::vector<int>& bits);

// The tightest of a job's limits on the average bits of a kind; infinity if it has none.
double budget_bits(TensorKind kind, const Parameters& parameters);

// The largest candidate that all tensors of a budget can have together: what it leaves beside
// pinned ones, rounded down to a candidate. Of each quantizer; pinned ones keep their bits. Budgets
// on averages and bytes limit their own members; one on bit operations limits all.
std::vector<int> uniform_bits(const Problem& problem);
// The widest candidate of at most `bits` of every quantizer (its narrowest if it has none), whatever
// the budgets.
std::vector<int> uniform_bits(const Problem& problem, int bits);

}  // namespace qbitopt
