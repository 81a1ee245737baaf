#include "qbitopt/allocation/knapsack/hull.h"

namespace qbitopt {

// Andrew's monotone chain: a step that saves no more per load than the one after it is joined with
// it.
void Hull::build(const Knapsack& knapsack) {
  const size_t choices = knapsack.load.size();
  first.resize(knapsack.classes() + 1);
  slope.resize(choices);
  load.resize(choices);
  choice.resize(choices);
  is_convex = true;
  int32_t end = 0;
  for (int c = 0; c < knapsack.classes(); ++c) {
    const int32_t begin = end;
    first[c] = begin;
    int32_t from = knapsack.first[c];
    for (int32_t to = from + 1; to < knapsack.first[c + 1]; ++to) {
      int64_t step = knapsack.load[to] - knapsack.load[from];
      double saved = (knapsack.cost[from] - knapsack.cost[to]) / static_cast<double>(step);
      while (end > begin && slope[end - 1] <= saved) {
        is_convex &= slope[end - 1] >= saved * (1 - 1e-12);
        --end;
        from = end > begin ? choice[end - 1] : knapsack.first[c];
        step = knapsack.load[to] - knapsack.load[from];
        saved = (knapsack.cost[from] - knapsack.cost[to]) / static_cast<double>(step);
      }
      slope[end] = saved;
      load[end] = step;
      choice[end] = to;
      from = to;
      ++end;
    }
  }
  first[knapsack.classes()] = end;
  slope.resize(end);
  load.resize(end);
  choice.resize(end);
}

}  // namespace qbitopt
