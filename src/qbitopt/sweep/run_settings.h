#pragma once

#include <optional>
#include <string>

#include "qbitopt/config/yaml.h"
#include "qbitopt/sweep/plan.h"

namespace qbitopt {

// `metric: {name: loss, goal: min}`: the name of a result of runs; the goal is that of the metric
// unless given. Throws InputError.
Objective read_metric(const YamlNode& node);

// `run: {executor: local, jobs: auto, timeout: 12h, retries: {preempted: unlimited, lost: 2, oom: 0,
// other: 1}, stall_timeout: 10m, slurm: {...}, command: {...}, on_finish: "mail me", on_failure:
// ...}`, as Plan::run says it. Throws InputError.
Json read_run(const YamlNode& node);

// A count of at least `least`, as parse_count() reads it; nullopt if it is not such a count.
std::optional<int> read_count(const YamlNode& node, int least);

// A time above 0, as parse_seconds() reads it. Throws InputError.
double seconds(const YamlNode& node);

}  // namespace qbitopt
