#pragma once

#include <string>

#include "qbitopt/sweep/plan.h"
#include "qbitopt/sweep/yaml.h"

namespace qbitopt {

// `metric: {name: top1, goal: max, rule: last}`. Throws InputError.
Objective read_metric(const YamlNode& node);

// `run: {jobs: auto, timeout: 12h, retries: {preempted: unlimited, lost: 2, oom: 0, other: 1}}`, as
// Plan::run says it. Throws InputError.
Json read_run(const YamlNode& node);

// "90s", "30m", "12h", "2d", or a number of seconds. Throws InputError.
double seconds(const YamlNode& node);

}  // namespace qbitopt
