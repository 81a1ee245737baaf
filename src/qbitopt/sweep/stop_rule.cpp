#include "qbitopt/sweep/stop_rule.h"

#include "qbitopt/core/error.h"
#include "qbitopt/job/known_metrics.h"
#include "qbitopt/sweep/run_settings.h"

namespace qbitopt {
namespace {

const std::string kValidation = "validation_";

}  // namespace

StopRule read_stop(const YamlNode& node) {
  expect_keys(node, "stop", {"metric", "after", "rule", "peers"});
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
  if (const YamlNode* after = node.find("after")) {
    rule.after = expect_number(*after, "stop.after");
    if (rule.after < 0 || rule.after >= 1) {
      fail_at(after->place,
              "stop.after must be a share of the steps, at least 0 and below 1, found " +
                  after->found());
    }
  }
  if (const YamlNode* kind = node.find("rule"); kind && expect_text(*kind, "rule") != "median")
    fail_at(kind->place, "the only stop.rule is median, found " + kind->found());
  if (const YamlNode* peers = node.find("peers")) {
    const auto count = read_count(*peers, 1);
    if (!count)
      fail_at(peers->place, "stop.peers must be a count of at least 1, found " + peers->found());
    rule.peers = *count;
  }
  return rule;
}

}  // namespace qbitopt
