#include "qbitopt/sweep/run_settings.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <vector>

#include "qbitopt/core/names.h"

namespace qbitopt {
namespace {

std::string one_of(const YamlNode& node, const std::string& what,
                   const std::vector<std::string>& known) {
  const std::string text = expect_text(node, what);
  if (std::find(known.begin(), known.end(), text) == known.end())
    fail_at(node.place, unknown_name(what, text, known));
  return text;
}

Json read_retries(const YamlNode& node) {
  expect_keys(node, "retries", {"preempted", "lost", "oom", "timeout", "other"});
  Json retries = Json::object();
  for (const YamlNode::Entry& entry : node.entries) {
    if (entry.value.is_scalar() && entry.value.scalar == "unlimited") {
      retries[entry.key] = -1;
      continue;
    }
    if (!entry.value.is_scalar() || !entry.value.scalar.is_number_integer() ||
        entry.value.scalar < 0) {
      fail_at(entry.value.place, "retries are a count or unlimited, found " + entry.value.found());
    }
    retries[entry.key] = entry.value.scalar;
  }
  return retries;
}

}  // namespace

Objective read_metric(const YamlNode& node) {
  if (node.is_scalar()) return {.name = expect_text(node, "metric")};
  expect_keys(node, "metric", {"name", "goal", "rule"});
  Objective metric;
  if (const YamlNode* name = node.find("name")) metric.name = expect_text(*name, "metric.name");
  if (const YamlNode* goal = node.find("goal")) metric.goal = one_of(*goal, "goal", {"max", "min"});
  if (const YamlNode* rule = node.find("rule"))
    metric.rule = one_of(*rule, "rule", {"last", "best"});
  return metric;
}

Json read_run(const YamlNode& node) {
  expect_keys(node, "run", {"jobs", "timeout", "retries"});
  Json run = Json::object();
  if (const YamlNode* jobs = node.find("jobs")) {
    const bool is_auto = jobs->is_scalar() && jobs->scalar == "auto";
    if (!is_auto && (!jobs->is_scalar() || !jobs->scalar.is_number_integer() || jobs->scalar < 1)) {
      fail_at(jobs->place, "run.jobs is auto or a count from 1, found " + jobs->found());
    }
    run["jobs"] = jobs->scalar;
  }
  if (const YamlNode* timeout = node.find("timeout")) run["timeout_seconds"] = seconds(*timeout);
  if (const YamlNode* retries = node.find("retries")) run["retries"] = read_retries(*retries);
  return run;
}

double seconds(const YamlNode& node) {
  static const std::map<std::string, double> kUnits = {
      {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}};
  double number = 0;
  std::string unit = "s";
  if (node.is_scalar() && node.scalar.is_number()) {
    number = node.scalar.get<double>();
  } else if (node.is_scalar() && node.scalar.is_string()) {
    const std::string text = node.scalar.get<std::string>();
    char* end = nullptr;
    number = std::strtod(text.c_str(), &end);
    unit = end;
  }
  const auto known = kUnits.find(unit);
  if (!(number > 0) || known == kUnits.end()) {
    fail_at(node.place, "a time is a number above 0 with s, m, h or d, like 90s, 30m, 12h; found " +
                            node.found());
  }
  return number * known->second;
}

}  // namespace qbitopt
