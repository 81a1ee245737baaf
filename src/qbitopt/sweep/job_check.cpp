#include "qbitopt/sweep/job_check.h"

#include <algorithm>

#include "qbitopt/config/value.h"

namespace qbitopt {
namespace {

constexpr const char* kCandidates = "quantizers.candidate_bits";
constexpr const char* kLimits[] = {"budget.average_bits", "budget.weights", "budget.activations",
                                   "budget.joint"};

class JobCheck {
 public:
  JobCheck(const Shape& shape, const Point& point, const Place& place)
      : shape_(shape), point_(point), place_(place) {}

  void check() const {
    check_candidates();
    check_budgets();
    for (const char* stage : {"training", "pretraining"}) check_optimization(stage);
    check_batches();
    check_ranges();
    check_sensitivity();
  }

 private:
  const Json& value(const std::string& key) const { return shape_.value(key, point_); }
  bool is(const std::string& key, const Json& wanted) const { return value(key) == wanted; }
  // Of a number; 0 if the job has no such parameter.
  double number(const std::string& key) const {
    const Json& found = value(key);
    return found.is_number() ? found.get<double>() : 0;
  }

  // Published weights are taken as they are.
  bool is_published() const { return value("weights.root").is_string(); }

  // At this parameter's value, if someone wrote it.
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
      fail(kCandidates, std::string(kCandidates) + " must hold a bit-width at least" + found);
    for (size_t i = 1; i < candidates.size(); ++i) {
      if (candidates[i - 1] >= candidates[i])
        fail(kCandidates, std::string(kCandidates) + " must rise from one to the next" + found);
    }
    if (candidates.back() < 2) {
      fail(kCandidates, std::string(kCandidates) +
                            " leaves weights without any, as signed tensors start at 2 bits" +
                            found);
    }
    if (is("quantizers.first_last_bits", 1)) {
      fail("quantizers.first_last_bits",
           "'quantizers.first_last_bits' is 1, but signed tensors start at 2 bits; 0 leaves the "
           "first and the last layer to the method");
    }
  }

  void check_budgets() const {
    bool has_limit = false, has_key = false;
    for (const char* key : kLimits) {
      const Json& limit = value(key);
      has_key |= shape_.find(key) != nullptr;
      has_limit |= limit.is_number();
      if (limit.is_number()) check_reachable(key, limit);
    }
    if (has_key && !has_limit) {
      fail_at(place_, "job " + name() +
                          " has no budget; set budget.average_bits (weights and activations, each "
                          "by itself), budget.weights, budget.activations or budget.joint");
    }
    const bool has_own = std::any_of(std::begin(kLimits), std::end(kLimits) - 1,
                                     [&](const char* key) { return value(key).is_number(); });
    if (is("solver", "exact") && has_own && value("budget.joint").is_number()) {
      fail("budget.joint",
           "solver 'exact' takes one budget per quantiser, but budget.joint binds what another "
           "budget binds as well; take milp or relax_greedy");
    }
  }

  // A budget below the smallest candidate cannot be met whatever the network is.
  void check_reachable(const std::string& key, const Json& limit) const {
    const Json& candidates = value(kCandidates);
    if (!candidates.is_array() || candidates.empty() || limit >= candidates.front()) return;
    fail(key,
         "infeasible budget: '" + key + "' is " + shown(limit) +
             ", below the smallest candidate of quantizers.candidate_bits = " + shown(candidates) +
             "; the smallest budget that can be met is " + shown(candidates.front()));
  }

  void check_optimization(const std::string& stage) const {
    const auto key = [&](const char* name) { return stage + "." + name; };
    if (!shape_.find(key("steps")) || !shape_.find(key("epochs"))) return;
    if (number(key("steps")) == 0 && number(key("epochs")) == 0 && !is_published()) {
      fail_at(place_, "job " + name() + " has nothing to train: set " + key("epochs") + " or " +
                          key("steps"));
    }
    if (is(key("nesterov"), true) && number(key("momentum")) == 0)
      fail(key("nesterov"),
           "Nesterov's momentum needs a momentum above 0 (" + key("momentum") + ")");
    const bool has_teacher =
        std::any_of(shape_.needs.begin(), shape_.needs.end(),
                    [](const ShapeNeed& need) { return need.name == "fp32_checkpoint"; });
    if (number(key("distillation")) > 0 && !has_teacher) {
      fail(key("distillation"),
           "distillation learns from the checkpoint that a run starts from, and " + name() +
               " starts from none; set it below `training`, not below `pretraining`");
    }
  }

  // Of data sets that say how many images they have.
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
    const bool is_plugin = shape_.shared->parameters.contains("plugin");  // which may know how
    if (!is("quantizers.range_init", "lsq") || !shape_.find("solver") || is_plugin) return;
    fail("quantizers.range_init",
         "quantizers.range_init 'lsq' depends on the bits, so it is for methods that do not choose "
         "them, unlike " +
             name() + "; take mse, minmax or percentile");
  }

  void check_sensitivity() const {
    const Json& sensitivity = value("sensitivity");
    if (!sensitivity.is_string()) return;
    const double images = number("calibration.batches") * number("calibration.batch_size");
    const std::string samples = sensitivity.get<std::string>() + ".samples";
    if (images > 0 && number(samples) > images) {
      fail(samples, "'" + samples + "' asks for " + shown(value(samples)) +
                        " images, but calibration.batches times calibration.batch_size are " +
                        shown(images));
    }
    if (!is("fit.weights", "split")) return;
    const auto fail_half = [&](const std::string& key) {
      fail(key, "fit.weights: split works on halves of each batch, but '" + key + "' is " +
                    shown(value(key)));
    };
    if (is("calibration.batch_size", 1)) fail_half("calibration.batch_size");
    const Json& batch = value("training.batch_size");
    const bool measures_in_training = shape_.find("reallocation.tau") != nullptr;
    if (measures_in_training && batch.is_number_integer() && batch.get<int64_t>() % 2 != 0)
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

bool leaves(const Shape& shape, const std::string& artifact) {
  return artifact != "allocation" || shape.find(kCandidates) != nullptr;
}

}  // namespace qbitopt
