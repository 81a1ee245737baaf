#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace qbitopt {

// A number that workers report by this name, in curves or at the end.
struct KnownMetric {
  const char* name;
  const char* unit;
  const char* goal;  // "max" or "min": which is better; null: neither
  const char* description;
  bool is_result;  // told at the end of every run that can: a column of `runs`
};
const std::vector<KnownMetric>& known_metrics();

// Names of those that are results.
std::vector<std::string> result_names();

// "max" or "min" of a known metric, else "max".
std::string goal_of(std::string_view metric);

}  // namespace qbitopt
