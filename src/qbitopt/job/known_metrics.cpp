#include "qbitopt/job/known_metrics.h"

namespace qbitopt {

const std::vector<KnownMetric>& known_metrics() {
  static const std::vector<KnownMetric> metrics = {
      {"top1", "percent", "max", "images whose most likely class is the right one", true},
      {"top5", "percent", "max", "images whose right class is among the five most likely", true},
      {"loss", "nats", "min", "cross-entropy", true},
      {"validation_top1", "percent", "max", "top1 on the held-out training images", true},
      {"validation_loss", "nats", "min", "loss on the held-out training images", true},
      {"validation_top1_batch_mode", "percent", "max",
       "validation_top1 with batch norm working on the batch's own statistics", true},
      {"learning_rate", "", nullptr, "of the weights", false},
      {"oscillating_weights", "percent", nullptr,
       "of the watched weights: those that turn back in more than 0.5% of the steps", false},
      {"frozen_weights", "percent", nullptr, "of the watched weights: those that are frozen",
       false},
  };
  return metrics;
}

std::vector<std::string> result_names() {
  std::vector<std::string> names;
  for (const KnownMetric& metric : known_metrics()) {
    if (metric.is_result) names.push_back(metric.name);
  }
  return names;
}

std::string goal_of(std::string_view name) {
  for (const KnownMetric& metric : known_metrics()) {
    if (metric.name == name && metric.goal != nullptr) return metric.goal;
  }
  return "max";
}

}  // namespace qbitopt
