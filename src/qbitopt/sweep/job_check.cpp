#include "qbitopt/sweep/job_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "qbitopt/allocation/solver.h"
#include "qbitopt/config/value.h"
#include "qbitopt/core/names.h"
#include "qbitopt/job/budget_kinds.h"

namespace qbitopt {
namespace {

constexpr const char* kCandidates = "quantizers.candidate_bits";

const std::map<std::string, BudgetSupport>& solvers() {
  static const std::map<std::string, BudgetSupport> known = [] {
    SolverRegistry registry("solver");
    register_solvers(registry);
    std::map<std::string, BudgetSupport> support;
    for (const std::string& name : registry.names())
      support[name] = registry.make(name, Parameters())->budget_support();
    return support;
  }();
  return known;
}

std::string solvers_with(BudgetSupport least) {
  std::vector<std::string> names;
  for (const auto& [name, support] : solvers()) {
    if (support >= least) names.push_back(name);
  }
  return fmt::to_string(fmt::join(names, ", "));
}

class JobCheck {
 public:
  JobCheck(const Shape& shape, const Point& point, const Place& place)
      : shape_(shape), point_(point), place_(place) {}

  // The outcome depends only on the rows that were read, so that points which do not differ in them
  // need no check of their own.
  void check() const {
    CheckedRows& checked = shape_.checked;
    if (checked.rows.count(rows()) != 0) return;
    const size_t dimensions = checked.dimensions.size();
    check_all();
    if (checked.dimensions.size() > dimensions) checked.rows.clear();
    checked.rows.insert(rows());
  }

 private:
  void check_all() const {
    check_candidates();
    check_budgets();
    for (const char* stage : {"training", "pretraining"}) check_optimization(stage);
    check_batches();
    check_ranges();
    check_sensitivity();
  }

  // The rows of the dimensions that any check of this shape has read, as one number.
  uint64_t rows() const {
    uint64_t index = 0;
    for (const auto& [dimension, size] : shape_.checked.dimensions)
      index = index * size + point_[dimension];
    return index;
  }

  const Json& read(const Slot& slot) const {
    if (slot.dimension >= 0) {
      auto& known = shape_.checked.dimensions;
      const std::pair dimension(static_cast<size_t>(slot.dimension), slot.values.size());
      if (std::find(known.begin(), known.end(), dimension) == known.end())
        known.push_back(dimension);
    }
    return slot.values[slot.row(point_)];
  }

  const Json& value(const std::string& key) const {
    static const Json absent;
    const Slot* slot = shape_.find(key);
    return slot ? read(*slot) : absent;
  }
  bool is(const std::string& key, const Json& wanted) const { return value(key) == wanted; }
  // The value of a number; 0 if the job has no such parameter.
  double number(const std::string& key) const {
    const Json& found = value(key);
    return found.is_number() ? found.get<double>() : 0;
  }

  // True: fp32 does not train, because the model has published weights or comes with the weights of
  // a .pt2 file.
  bool is_published() const {
    if (is("weights.train", true)) return false;
    const Json& model = value("model");
    const bool is_file = model.is_string() && names_graph_file(model.get_ref<const std::string&>());
    return value("weights.root").is_string() || (is_file && is("method", "fp32"));
  }

  // Throws at the place where the parameter was written, or else at place_.
  [[noreturn]] void fail(const std::string& key, const std::string& message) const {
    const Slot* slot = shape_.find(key);
    const Place written = slot ? slot->places[slot->row(point_)] : Place{};
    fail_at(written.source ? written : place_, message);
  }

  void check_candidates() const {
    const Json& candidates = value(kCandidates);
    if (!candidates.is_array()) return;
    const std::string found = ", found " + shown(candidates);
    if (candidates.empty())
      fail(kCandidates, std::string(kCandidates) + " must list at least one bit-width" + found);
    for (size_t i = 1; i < candidates.size(); ++i) {
      if (candidates[i - 1] >= candidates[i])
        fail(kCandidates, std::string(kCandidates) + " must be in ascending order" + found);
    }
    if (candidates.back() < 2) {
      fail(kCandidates,
           std::string(kCandidates) +
               " has no bit-width for weights, which are signed and need at least 2 bits" + found);
    }
    if (is("quantizers.first_last_bits", 1)) {
      fail("quantizers.first_last_bits",
           "'quantizers.first_last_bits' is 1, but signed tensors need at least 2 bits; write 0 to "
           "let the method choose the bits of the first and the last layer");
    }
  }

  // The parameter that limits a kind of budget in this job; null: none does.
  const std::string* limit_of(const BudgetKind& kind) const {
    for (const std::string& key : kind.parameters) {
      if (value(key).is_number()) return &key;
    }
    return nullptr;
  }

  void check_budgets() const {
    std::vector<std::string_view> known;
    bool has_limit = false;
    for (const std::string& key : budget_parameters()) {
      const Slot* slot = shape_.find(key);
      if (!slot) continue;
      known.push_back(key);
      has_limit |= read(*slot).is_number();
    }
    if (known.empty()) return;
    if (!has_limit) {
      fail_at(place_,
              fmt::format("job {} has no budget; set one of {}", name(), fmt::join(known, ", ")));
    }
    for (const BudgetKind& kind : budget_kinds()) {
      const std::string* key = limit_of(kind);
      if (!key) continue;
      if (kind.unit == BudgetUnit::kBytes && value("budget.weighting").is_string() &&
          !is("budget.weighting", "elements")) {
        fail(*key, "'" + *key + "' counts elements, but budget.weighting is " +
                       shown(value("budget.weighting")) + "; leave out one of the two");
      }
      check_reachable(kind, *key);
    }
    check_solver();
  }

  // Rejects budgets that the solver cannot combine.
  void check_solver() const {
    if (!value("solver").is_string()) return;
    const auto solver = solvers().find(value("solver").get<std::string>());
    if (solver == solvers().end()) return;  // unknown solvers are reported elsewhere
    const auto fail_solver = [&](const std::string& key, const std::string& fault,
                                 BudgetSupport least) {
      fail(key, fmt::format("solver '{}' {}: {}", solver->first, fault, solvers_with(least)));
    };
    const std::string *weights = nullptr, *activations = nullptr;
    for (const BudgetKind& kind : budget_kinds()) {
      const std::string* key = limit_of(kind);
      if (!key) continue;
      if (kind.unit == BudgetUnit::kBitOperations && solver->second < BudgetSupport::kAny) {
        fail_solver(
            *key,
            "cannot meet '" + *key +
                "', in which the bits of weights and activations are multiplied; solvers that can",
            BudgetSupport::kAny);
      }
      for (auto& [binds, first] : {std::pair{kind.binds_weights, &weights},
                                   std::pair{kind.binds_activations, &activations}}) {
        if (!binds) continue;
        if (*first && solver->second < BudgetSupport::kNested) {
          fail_solver(*key,
                      "takes one budget per quantizer, but '" + *key + "' and '" + **first +
                          "' limit the same quantizers; solvers that take both",
                      BudgetSupport::kNested);
        }
        if (!*first) *first = key;
      }
    }
  }

  // Rejects a budget that the smallest candidates exceed. Averages are checked for every network,
  // and totals if the network's manifest gives its sizes; other cases are found when the job
  // starts.
  void check_reachable(const BudgetKind& kind, const std::string& key) const {
    const Json& candidates = value(kCandidates);
    if (!candidates.is_array() || candidates.empty()) return;
    const Json& limit = value(key);
    const auto smallest = candidates.front().get<int64_t>();
    if (kind.is_average() && limit < smallest) {
      fail(key, "infeasible budget: '" + key + "' is " + shown(limit) +
                    ", below the smallest candidate of quantizers.candidate_bits = " +
                    shown(candidates) + "; the smallest budget that can be met is " +
                    shown(candidates.front()));
    }
    if (kind.is_average() || !shape_.model) return;
    const int64_t weight_bits = std::max<int64_t>(smallest, 2);  // weights are signed
    value("data.image_size");                                    // is read below
    const int64_t image_size = shape_.data_fact("data.image_size", &Manifest::image_size, point_);
    int64_t least = 0;
    if (kind.unit == BudgetUnit::kBytes) {
      least = (shape_.model->inner_weights * weight_bits + 7) / 8;
    } else if (image_size > 0 && image_size == shape_.model->image_size) {
      least = shape_.model->inner_macs * weight_bits * smallest;
    }
    if (limit >= least) return;
    fail(key, "infeasible budget: '" + key + "' is " + shown(limit) + ", but " +
                  shape_.model->name + " needs at least " +
                  kind.amount(static_cast<double>(least)) +
                  " with every tensor between its first and last layer at the smallest candidate "
                  "of quantizers.candidate_bits = " +
                  shown(candidates));
  }

  void check_optimization(const std::string& stage) const {
    const auto key = [&](const char* name) { return stage + "." + name; };
    if (!shape_.find(key("steps")) || !shape_.find(key("epochs"))) return;
    if (number(key("steps")) == 0 && number(key("epochs")) == 0 && !is_published()) {
      fail_at(place_, "job " + name() + " trains for 0 steps; set " + key("epochs") + " or " +
                          key("steps"));
    }
    if (is(key("nesterov"), true) && number(key("momentum")) == 0)
      fail(key("nesterov"), "'" + key("nesterov") + "' needs a momentum above 0; set " +
                                key("momentum") + ", or leave it out");
    if (is(key("nesterov"), true) && is(key("optimizer"), "adamw"))
      fail(key("nesterov"), "'" + key("nesterov") + "' applies to " + key("optimizer") +
                                ": sgd, found adamw; leave it out");
    check_passes(key("batch_size"), key("accumulate"));
    const bool has_teacher =
        std::any_of(shape_.needs.begin(), shape_.needs.end(), [](const ShapeNeed& need) {
          return need.name == "fp32_checkpoint" || need.name == "teacher";
        });
    if (number(key("distillation")) > 0 && !has_teacher) {
      fail(key("distillation"), "distillation needs the checkpoint that a run starts from, but " +
                                    name() +
                                    " does not start from one; set distillation below `training`, "
                                    "not below `pretraining`");
    }
    if (number(key("distillation")) == 0 && value("teacher.model").is_string()) {
      fail("teacher.model", "teacher.model " + shown(value("teacher.model")) +
                                " has no effect, because '" + key("distillation") +
                                "' is 0; set it above 0, or leave teacher.model out");
    }
  }

  // The passes of a step must have batches of equal size.
  void check_passes(const std::string& batch_size, const std::string& accumulate) const {
    const Json& batch = value(batch_size);
    const Json& passes = value(accumulate);
    if (!batch.is_number_integer() || !passes.is_number_integer()) return;
    if (batch.get<int64_t>() % passes.get<int64_t>() == 0) return;
    fail(accumulate, "'" + accumulate + "' is " + shown(passes) + ", but '" + batch_size + "' " +
                         shown(batch) +
                         " is not a multiple of it; choose a divisor of the batch size");
  }

  // Applies to data sets whose number of images is a parameter.
  void check_batches() const {
    const Json& images = value("data.train_images");
    if (!images.is_number()) return;
    for (const char* stage : {"training", "pretraining", "calibration"}) {
      if (is_published() && std::string(stage) == "pretraining") continue;
      const std::string key = std::string(stage) + ".batch_size";
      if (number(key) > images.get<double>()) {
        fail(key, "a batch of " + shown(value(key)) + " images ('" + key + "') is more than the " +
                      shown(images) + " training images there are (data.train_images)");
      }
    }
  }

  void check_ranges() const {
    const bool is_plugin = shape_.shared->parameters.contains("plugin");  // which may support it
    if (!is("quantizers.range_init", "lsq") || !shape_.find("solver") || is_plugin) return;
    fail("quantizers.range_init",
         "quantizers.range_init 'lsq' depends on the bits, but " + name() +
             " changes them during training; use mse, minmax or percentile");
  }

  void check_sensitivity() const {
    const Json& sensitivity = value("sensitivity");
    if (!sensitivity.is_string()) return;
    const double images = number("calibration.batches") * number("calibration.batch_size");
    const std::string samples = sensitivity.get<std::string>() + ".samples";
    if (images > 0 && number(samples) > images) {
      fail(samples, "'" + samples + "' asks for " + shown(value(samples)) +
                        " images, but calibration.batches times calibration.batch_size is " +
                        shown(images));
    }
    if (!is("fit.weights", "split")) return;
    const auto fail_half = [&](const std::string& key) {
      fail(key, "fit.weights: split halves each batch, but '" + key + "' is " + shown(value(key)));
    };
    if (is("calibration.batch_size", 1)) fail_half("calibration.batch_size");
    const Json& batch = value("training.batch_size");
    const bool measures_in_training = shape_.find("reallocation.tau") != nullptr;
    const bool is_divided = number("training.accumulate") > 1;  // which is enough
    if (measures_in_training && !is_divided && batch.is_number_integer() &&
        batch.get<int64_t>() % 2 != 0)
      fail_half("training.batch_size");
  }

  std::string name() const {
    const Json& method = value("method");
    return method.is_string() ? "'" + method.get<std::string>() + "'" : "'?'";
  }

  const Shape& shape_;
  const Point& point_;
  const Place& place_;
};

}  // namespace

void check_job(const Shape& shape, const Point& point, const Place& place) {
  JobCheck(shape, point, place).check();
}

bool leaves(const Shape& shape, const ShapeNeed& need) {
  const bool is_quantized = need.artifact == "allocation" || need.name == "start_from";
  return !is_quantized || shape.find(kCandidates) != nullptr;
}

}  // namespace qbitopt
