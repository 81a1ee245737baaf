#include "qbitopt/sweep/stop_rule.h"

#include <fmt/format.h>

#include "qbitopt/core/error.h"
#include "qbitopt/job/known_metrics.h"
#include "qbitopt/sweep/run_settings.h"

namespace qbitopt {
namespace {

const std::string kValidation = "validation_";

}  // namespace

StopRule read_stop(const YamlNode& node) {
  expect_keys(node, "stop", {"metric", "after", "rule", "peers", "reduction_factor"});
  StopRule rule;
  if (const YamlNode* metric = node.find("metric")) {
    const std::string name = expect_text(*metric, "metric");
    if (name != "validation_loss" && name != "validation_top1") {
      fail_at(metric->place, "stop.metric must be validation_loss or validation_top1, found " +
                                 metric->found() +
                                 "; to choose by test images would spoil the result on them");
    }
    rule.metric = name.substr(kValidation.size());
    rule.is_better_smaller = goal_of(name) == "min";
  }
  if (const YamlNode* kind = node.find("rule")) {
    const std::string name = expect_text(*kind, "rule");
    if (name != "median" && name != "halving")
      fail_at(kind->place, "stop.rule must be median or halving, found " + kind->found());
    if (name == "halving") {
      rule.kind = StopRule::Kind::kHalving;
      rule.after = 0.1;
    }
  }
  const bool is_halving = rule.kind == StopRule::Kind::kHalving;
  if (const YamlNode* after = node.find("after")) {
    rule.after = expect_number(*after, "stop.after");
    if (rule.after < 0 || rule.after >= 1 || (is_halving && rule.after == 0)) {
      fail_at(after->place,
              fmt::format("stop.after must be a share of the steps, {} and below 1, found {}",
                          is_halving ? "above 0" : "at least 0", after->found()));
    }
  }
  if (const YamlNode* factor = node.find("reduction_factor")) {
    if (!is_halving)
      fail_at(factor->place, "stop.reduction_factor belongs to 'rule: halving'; remove it");
    rule.reduction_factor = expect_number(*factor, "stop.reduction_factor");
    if (rule.reduction_factor <= 1) {
      fail_at(factor->place,
              "stop.reduction_factor must be above 1: one of so many runs goes on, found " +
                  factor->found());
    }
  }
  if (const YamlNode* peers = node.find("peers")) {
    const auto count = read_count(*peers, 1);
    if (!count)
      fail_at(peers->place, "stop.peers must be a count of at least 1, found " + peers->found());
    rule.peers = *count;
  }
  return rule;
}

}  // namespace qbitopt
