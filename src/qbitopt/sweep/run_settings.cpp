#include "qbitopt/sweep/run_settings.h"

#include <algorithm>
#include <vector>

#include "qbitopt/core/names.h"
#include "qbitopt/core/quantities.h"
#include "qbitopt/job/known_metrics.h"
#include "qbitopt/sweep/queue_settings.h"

namespace qbitopt {
namespace {

// A scalar as it would be written on a command line; empty for lists and maps.
std::optional<std::string> word_of(const YamlNode& node) {
  if (!node.is_scalar() || node.scalar.is_null()) return std::nullopt;
  return node.scalar.is_string() ? node.scalar.get<std::string>() : node.scalar.dump();
}

std::string one_of(const YamlNode& node, const std::string& what,
                   const std::vector<std::string>& known) {
  const std::string text = expect_text(node, what);
  if (std::find(known.begin(), known.end(), text) == known.end())
    fail_at(node.place, unknown_name(what, text, known));
  return text;
}

Json read_retries(const YamlNode& node) {
  expect_keys(node, "retries",
              {"preempted", "forgotten", "lost", "oom", "stalled", "timeout", "other"});
  Json retries = Json::object();
  for (const YamlNode::Entry& entry : node.entries) {
    if (entry.value.is_scalar() && entry.value.scalar == "unlimited") {
      retries[entry.key] = -1;
      continue;
    }
    const auto count = read_count(entry.value, 0);
    if (!count)
      fail_at(entry.value.place,
              "retries must be a count or unlimited, found " + entry.value.found());
    retries[entry.key] = *count;
  }
  return retries;
}

}  // namespace

Objective read_metric(const YamlNode& node) {
  Objective metric;
  if (!node.is_scalar()) expect_keys(node, "metric", {"name", "goal", "rule"});
  if (const YamlNode* name = node.is_scalar() ? &node : node.find("name"))
    metric.name = one_of(*name, "metric", result_names());
  metric.goal = goal_of(metric.name);
  if (const YamlNode* goal = node.find("goal")) metric.goal = one_of(*goal, "goal", {"max", "min"});
  const YamlNode* rule = node.find("rule");
  if (rule && expect_text(*rule, "rule") != "last") {
    fail_at(rule->place,
            "the only rule is last, the value at the end of a run; found " + rule->found() +
                "; the best value of a run would be selected on the images that it is measured on");
  }
  return metric;
}

Json read_run(const YamlNode& node) {
  expect_keys(node, "run",
              {"executor", "jobs", "timeout", "stall_timeout", "retries", "slurm", "command",
               "on_finish", "on_failure"});
  Json run = Json::object();
  if (const YamlNode* jobs = node.find("jobs")) {
    const bool is_auto = jobs->is_scalar() && jobs->scalar == "auto";
    const auto count = is_auto ? std::nullopt : read_count(*jobs, 1);
    if (!is_auto && !count)
      fail_at(jobs->place,
              "run.jobs must be auto or a count of at least 1, found " + jobs->found());
    run["jobs"] = is_auto ? jobs->scalar : Json(*count);
  }
  if (const YamlNode* executor = node.find("executor"))
    run["executor"] = expect_text(*executor, "executor");
  if (const YamlNode* timeout = node.find("timeout")) run["timeout_seconds"] = seconds(*timeout);
  if (const YamlNode* timeout = node.find("stall_timeout"))
    run["stall_seconds"] = seconds(*timeout);
  for (const char* queue : {"slurm", "command"}) {
    if (const YamlNode* settings = node.find(queue))
      run[queue] = read_queue_settings(*settings, queue);
  }
  for (const char* hook : {"on_finish", "on_failure"}) {
    if (const YamlNode* command = node.find(hook)) run[hook] = expect_text(*command, hook);
  }
  if (const YamlNode* retries = node.find("retries")) run["retries"] = read_retries(*retries);
  return run;
}

std::optional<int> read_count(const YamlNode& node, int least) {
  const auto word = word_of(node);
  return word ? parse_count(*word, least) : std::nullopt;
}

double seconds(const YamlNode& node) {
  const auto word = word_of(node);
  const auto time = word ? parse_seconds(*word) : std::nullopt;
  if (!time || *time == 0) {
    fail_at(node.place,
            "a time must be a number above 0 with a unit (s, m, h or d), as in 90s or 12h; found " +
                node.found());
  }
  return *time;
}

}  // namespace qbitopt
