#pragma once

#include <map>
#include <string>

#include "qbitopt/training/run_context.h"

namespace qbitopt {

// Fills in what the final integer bits are worth: budgets (recomputed here, never taken from the
// method), averages over all tensors, and whether every budget is met.
// Throws JobError "invalid_bits" if a quantizer is left at bits that it may not have, and
// "budget_exceeded" if a budget is exceeded that the method promises to keep.
void account_bits(const RunContext& context, bool guarantees_budget, Finished& finished);

// Accuracy and loss on test and validation images, the latter also with batch norm on each
// batch's own statistics: "top1", "loss", "validation_top1", "validation_loss",
// "validation_top1_batch_mode".
std::map<std::string, double> final_results(RunContext& context);

// Leaves the trained network ("model": tensors under their published names, for torch.load) and the
// final bits ("allocation": a JSON object) in the folder, and reports both.
void leave_artifacts(RunContext& context, const std::string& folder);

}  // namespace qbitopt
