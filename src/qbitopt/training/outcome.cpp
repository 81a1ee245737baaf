#include "qbitopt/training/outcome.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "qbitopt/allocation/budget_check.h"
#include "qbitopt/core/hash.h"
#include "qbitopt/methods/budget_problem.h"
#include "qbitopt/models/batch_norm.h"
#include "qbitopt/models/state_file.h"
#include "qbitopt/training/evaluation.h"

namespace qbitopt {
namespace {

// Small enough for a layer's images to stay in the cache.
constexpr int64_t kEvaluationBatch = 50;
// Large enough for its statistics to stand for the data's.
constexpr int64_t kStatisticsBatch = 250;
// Percentage points between the two modes of batch norm that are worth a warning.
constexpr double kModeDifference = 1;

const char* name_of(TensorKind kind) {
  return kind == TensorKind::kWeight ? "weight" : "activation";
}

void expect_candidate(const AllocationQuantizer& quantizer, int bits) {
  if (std::find(quantizer.bits.begin(), quantizer.bits.end(), bits) != quantizer.bits.end()) return;
  throw JobError("invalid_bits",
                 fmt::format("the method left quantizer '{}' at {} bits, expected {}",
                             quantizer.name, bits, Json(quantizer.bits).dump()));
}

// The average over all tensors of one kind, including those that no budget counts.
double average_of_all(const RunContext& context, TensorKind kind) {
  double used = 0, weights = 0;
  for (const QuantizerPtr& quantizer : context.quantizers()) {
    const QuantizerSpec& spec = quantizer->spec();
    if (spec.kind != kind) continue;
    const auto weight = static_cast<double>(budget_weight(spec, context.parameters()));
    used += weight * quantizer->bits();
    weights += weight;
  }
  return weights > 0 ? used / weights : 0;
}

Evaluation final_evaluation(RunContext& context, Split split,
                            int64_t batch_size = kEvaluationBatch) {
  return evaluate_split(context.network(), context.data(), split, batch_size, context.device());
}

void leave(RunContext& context, const std::filesystem::path& folder, const std::string& name,
           const std::string& file, const std::string& content) {
  write_file_atomically(folder / file, content);
  context.report(Artifact{name, file, sha256(content), static_cast<int64_t>(content.size())});
}

}  // namespace

void account_bits(const RunContext& context, bool guarantees_budget, Finished& finished) {
  const Problem& problem = context.problem();
  const auto& quantizers = context.quantizers();
  for (size_t i = 0; i < quantizers.size(); ++i) {
    finished.bits.push_back(quantizers[i]->bits());
    expect_candidate(problem.quantizers[i], finished.bits.back());
  }
  std::string excess;
  if (!quantizers.empty()) {
    std::map<std::string, double> limits;
    for (const BudgetCheck& check : check_budgets(problem, finished.bits)) {
      limits[check.name] = check.limit;
      if (check.is_met) continue;
      const BudgetKind& kind = budget_kind(check.name);
      excess += fmt::format("{}{} budget of {}, used {}", excess.empty() ? "" : "; ", check.name,
                            kind.amount(check.limit), kind.amount(check.achieved));
    }
    const std::vector<QuantizerSpec> specs = context.specs();
    for (const BudgetKind& kind : budget_kinds()) {
      const auto limit = limits.find(kind.name);
      finished.budgets.push_back(
          {kind.name, limit == limits.end() ? std::nullopt : std::optional(limit->second),
           budget_use(kind, specs, context.parameters(), finished.bits)});
    }
    for (const TensorKind kind : {TensorKind::kWeight, TensorKind::kActivation}) {
      finished.all_tensor_bits[name_of(kind)] = average_of_all(context, kind);
    }
  }
  finished.budget_met = excess.empty();
  if (guarantees_budget && !finished.budget_met) {
    throw JobError("budget_exceeded",
                   "the final bits exceed a budget that the method promises to keep: " + excess);
  }
}

std::map<std::string, double> final_results(RunContext& context) {
  Network& network = context.network();
  network.eval();
  const Evaluation validation = final_evaluation(context, Split::kValidation);
  const Evaluation test = final_evaluation(context, Split::kTest);
  double batch_mode = validation.top1;
  if (const int64_t images = context.data().size(Split::kValidation); images > 1) {
    int64_t batch = kStatisticsBatch;
    while (images % batch == 1) ++batch;  // one image has no statistics
    const BatchStatisticsScope scope(network);
    batch_mode = final_evaluation(context, Split::kValidation, batch).top1;
  }
  if (std::abs(batch_mode - validation.top1) > kModeDifference) {
    context.report(Note{
        "warning",
        fmt::format("validation top-1 is {:.2f} with batch norm's running statistics and "
                    "{:.2f} with those of each batch, so the running statistics are inaccurate",
                    validation.top1, batch_mode)});
  }
  std::map<std::string, double> results = {{"top1", test.top1},
                                           {"loss", test.loss},
                                           {"validation_top1", validation.top1},
                                           {"validation_loss", validation.loss},
                                           {"validation_top1_batch_mode", batch_mode}};
  if (test.top5) results["top5"] = *test.top5;
  return results;
}

void leave_artifacts(RunContext& context, const std::string& folder) {
  leave(context, folder, "model", "model.pth", to_state_file(state_of(context.network())));
  if (context.quantizers().empty()) return;
  Json allocation = Json::object();
  for (const QuantizerPtr& quantizer : context.quantizers()) {
    allocation[quantizer->spec().name] = quantizer->bits();
  }
  leave(context, folder, "allocation", "allocation.json", allocation.dump(2) + "\n");
}

}  // namespace qbitopt
