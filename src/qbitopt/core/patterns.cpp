#include "qbitopt/core/patterns.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace qbitopt {
namespace {

constexpr size_t kMostNear = 5;

// How many letters must be added, removed or changed for the name to fit. 0: it fits.
size_t distance_to_fit(std::string_view pattern, std::string_view name) {
  std::vector<size_t> above(name.size() + 1), row(name.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (const char letter : pattern) {
    std::swap(above, row);
    const size_t removal = letter == '*' ? 0 : 1;
    row[0] = above[0] + removal;
    for (size_t j = 1; j <= name.size(); ++j) {
      const size_t change = letter == '*' || letter == '?' || letter == name[j - 1] ? 0 : 1;
      row[j] = std::min(
          {above[j] + removal, row[j - 1] + (letter == '*' ? 0 : 1), above[j - 1] + change});
    }
  }
  return row.back();
}

}  // namespace

bool matches(std::string_view pattern, std::string_view name) {
  return distance_to_fit(pattern, name) == 0;
}

bool matches_any(const std::vector<std::string>& patterns, std::string_view name) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const std::string& pattern) { return matches(pattern, name); });
}

std::string unmatched_pattern(std::string_view kind, const std::vector<std::string>& patterns,
                              const std::vector<std::string>& names) {
  for (const std::string& pattern : patterns) {
    std::vector<std::pair<size_t, const std::string*>> near;
    for (const std::string& name : names) near.emplace_back(distance_to_fit(pattern, name), &name);
    std::stable_sort(near.begin(), near.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    if (!near.empty() && near.front().first == 0) continue;
    std::string text = "'" + pattern + "' fits no " + std::string(kind);
    for (size_t i = 0; i < std::min(near.size(), kMostNear); ++i)
      text += (i == 0 ? "; near: " : ", ") + *near[i].second;
    return text;
  }
  return "";
}

}  // namespace qbitopt
