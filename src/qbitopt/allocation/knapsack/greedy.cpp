#include "qbitopt/allocation/knapsack/greedy.h"

#include <algorithm>

namespace qbitopt {
namespace {

struct Entry {
  double slope;
  int32_t c;
  // Less urgent: on top of the heap stands the steepest, then the first class.
  bool operator<(const Entry& other) const {
    return slope != other.slope ? slope < other.slope : c > other.c;
  }
};

bool fits(const Knapsack& knapsack, const std::vector<int64_t>& slack, int c, int64_t load) {
  for (int g = knapsack.leaf[c]; g >= 0; g = knapsack.parent[g]) {
    if (load > slack[g]) return false;
  }
  return true;
}

}  // namespace

void greedy_fill(const Knapsack& knapsack, const Hull& hull, std::vector<int32_t>& position,
                 std::vector<int64_t>& slack) {
  std::vector<Entry> heap;
  for (int c = 0; c < knapsack.classes(); ++c) {
    const int32_t step = hull.first[c] + position[c];
    if (step < hull.first[c + 1] && fits(knapsack, slack, c, hull.load[step])) {
      heap.push_back({hull.slope[step], c});
    }
  }
  std::make_heap(heap.begin(), heap.end());
  const auto still_fits = [&](const Entry& entry) {
    return fits(knapsack, slack, entry.c, hull.load[hull.first[entry.c] + position[entry.c]]);
  };
  // Slack only shrinks: a step that does not fit now never will. Where many do not, they are
  // cheaper to leave out together than to pop one by one.
  constexpr size_t kWorthAPass = 16;
  size_t misfits = 0;
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end());
    const Entry entry = heap.back();
    heap.pop_back();
    if (!still_fits(entry)) {
      if (++misfits * kWorthAPass > heap.size()) {
        std::erase_if(heap, [&](const Entry& other) { return !still_fits(other); });
        std::make_heap(heap.begin(), heap.end());
        misfits = 0;
      }
      continue;
    }
    const int c = entry.c;
    int32_t step = hull.first[c] + position[c];
    for (int g = knapsack.leaf[c]; g >= 0; g = knapsack.parent[g]) slack[g] -= hull.load[step];
    ++position[c];
    ++step;
    if (step < hull.first[c + 1] && fits(knapsack, slack, c, hull.load[step])) {
      heap.push_back({hull.slope[step], c});
      std::push_heap(heap.begin(), heap.end());
    }
  }
}

std::vector<int32_t> choices_at(const Knapsack& knapsack, const Hull& hull,
                                const std::vector<int32_t>& position) {
  std::vector<int32_t> choices(position.size());
  for (size_t c = 0; c < position.size(); ++c) {
    choices[c] =
        position[c] == 0 ? knapsack.first[c] : hull.choice[hull.first[c] + position[c] - 1];
  }
  return choices;
}

}  // namespace qbitopt
