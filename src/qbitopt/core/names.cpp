#include "qbitopt/core/names.h"

#include <algorithm>
#include <numeric>

namespace qbitopt {
namespace {

// Levenshtein distance with swapped neighbors as one change ("optimal string alignment").
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    std::swap(before, above);
    std::swap(above, row);
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
  }
  return row.back();
}

}  // namespace

std::string nearest_name(std::string_view name, const std::vector<std::string>& known) {
  std::string best;
  size_t best_distance = std::max<size_t>(1, name.size() / 3) + 1;
  for (const std::string& candidate : known) {
    const size_t lengths =
        std::max(name.size(), candidate.size()) - std::min(name.size(), candidate.size());
    if (lengths >= best_distance) continue;  // so many letters at least are missing
    const size_t distance = edit_distance(name, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

std::string unknown_name(std::string_view kind, std::string_view name,
                         std::vector<std::string> known) {
  std::sort(known.begin(), known.end());
  constexpr size_t kLongest = 200;
  const bool is_long = name.size() > kLongest;
  std::string text = "unknown " + std::string(kind) + " '" + std::string(name.substr(0, kLongest)) +
                     (is_long ? "...'" : "'");
  if (is_long) name = {};  // like none
  const std::string near = nearest_name(name, known);
  if (!near.empty()) text += ", did you mean '" + near + "'?";
  text += "; known " + std::string(kind) + "s: ";
  for (size_t i = 0; i < known.size(); ++i) text += (i ? ", " : "") + known[i];
  if (known.empty()) text += "(none)";
  return text;
}

bool names_graph_file(std::string_view model) { return model.ends_with(".pt2"); }

}  // namespace qbitopt
