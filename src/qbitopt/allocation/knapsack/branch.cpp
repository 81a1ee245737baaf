#include "qbitopt/allocation/knapsack/branch.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "qbitopt/allocation/knapsack/greedy.h"

namespace qbitopt {
namespace {

constexpr int kDeepest = 40;

// The classes of one budget alone.
Knapsack classes_of(const Knapsack& whole, int budget) {
  Knapsack part;
  part.first = {0};
  for (const int32_t c : whole.members(budget)) {
    for (int32_t j = whole.first[c]; j < whole.first[c + 1]; ++j) {
      part.load.push_back(whole.load[j]);
      part.cost.push_back(whole.cost[j]);
    }
    part.first.push_back(static_cast<int32_t>(part.load.size()));
  }
  const size_t classes = part.first.size() - 1;
  part.leaf.assign(classes, 0);
  part.parent = {-1};
  part.slack = {whole.slack[budget]};
  part.member_first = {0, static_cast<int32_t>(classes)};
  part.member.resize(classes);
  std::iota(part.member.begin(), part.member.end(), 0);
  return part;
}

// The same with choice j as the only one of class c.
Knapsack with_choice(Knapsack node, int32_t c, int32_t j) {
  const int32_t begin = node.first[c];
  const int32_t removed = node.first[c + 1] - begin - 1;
  node.slack[0] -= node.load[j];
  node.load[begin] = 0;
  node.cost[begin] = node.cost[j];
  node.load.erase(node.load.begin() + begin + 1, node.load.begin() + begin + 1 + removed);
  node.cost.erase(node.cost.begin() + begin + 1, node.cost.begin() + begin + 1 + removed);
  for (size_t i = c + 1; i < node.first.size(); ++i) node.first[i] -= removed;
  return node;
}

double cost_of(const Knapsack& node, const std::vector<int32_t>& picked) {
  double cost = 0;
  for (const int32_t choice : picked) cost += node.cost[choice];
  return cost;
}

}  // namespace

Branch::Proof Branch::solve(const Knapsack& knapsack, int budget, const Limits& limits,
                            std::vector<int32_t>& picked) {
  limits_ = limits;
  is_complete_ = true;
  const std::span<const int32_t> members = knapsack.members(budget);
  const Knapsack root = classes_of(knapsack, budget);
  std::vector<int32_t> choices;
  for (size_t i = 0; i < members.size(); ++i) {
    choices.push_back(picked[members[i]] - knapsack.first[members[i]] + root.first[i]);
  }
  best_ = cost_of(root, choices);
  tolerance_ = 0;
  const double bound = solve_node(root, 0, choices);
  for (size_t i = 0; i < members.size(); ++i) {
    picked[members[i]] = choices[i] - root.first[i] + knapsack.first[members[i]];
  }
  return {std::min(bound, best_), is_complete_};
}

// Improves `picked`, whose choices are the node's, if there is an allocation below best_. Returns a
// bound of the node.
double Branch::solve_node(const Knapsack& node, int depth, std::vector<int32_t>& picked) {
  Hull hull;
  hull.build(node);
  Dual dual;
  dual.solve(node, hull);
  if (dual.bound >= best_ - tolerance_) return dual.bound;
  const std::vector<int32_t> base = choices_at(node, hull, dual.position);
  const int64_t slack = dual.slack[0];
  greedy_fill(node, hull, dual.position, dual.slack);
  std::vector<int32_t> found = choices_at(node, hull, dual.position);
  const auto keep_if_better = [&] {
    const double cost = cost_of(node, found);
    if (cost >= best_) return;
    best_ = cost;
    picked = found;
  };
  keep_if_better();
  tolerance_ = 1e-13 * std::abs(best_);
  const CoreSearch::Proof proof =
      search_.solve({node, node.members(0), dual.price[0], base, slack, tolerance_,
                     limits_.deadline, best_ - dual.bound, limits_.most_states},
                    found);
  keep_if_better();
  const double bound = dual.bound + proof.excess;
  if (proof.is_complete || bound >= best_ - tolerance_) return bound;
  if (depth == kDeepest || CoreSearch::Clock::now() >= limits_.deadline) {
    is_complete_ = false;
    return bound;
  }
  return branch(node, depth, dual.price[0], best_ - dual.bound, bound, picked);
}

// `room`: reduced costs at the price that an allocation below best_ may pay.
double Branch::branch(const Knapsack& node, int depth, double price, double room, double bound,
                      std::vector<int32_t>& picked) {
  struct Choice {
    double reduced;
    int32_t j;
  };
  std::vector<Choice> choices, open;
  int64_t widest = 0;
  int32_t chosen = -1;
  for (int32_t c = 0; c < node.classes(); ++c) {
    choices.clear();
    double lowest = std::numeric_limits<double>::infinity();
    for (int32_t j = node.first[c]; j < node.first[c + 1]; ++j) {
      choices.push_back({node.cost[j] + price * static_cast<double>(node.load[j]), j});
      lowest = std::min(lowest, choices.back().reduced);
    }
    for (Choice& choice : choices) choice.reduced -= lowest;
    std::erase_if(choices, [&](const Choice& choice) { return choice.reduced > room; });
    const int64_t width = node.load[choices.back().j] - node.load[choices.front().j];
    if (width <= widest) continue;
    widest = width;
    chosen = c;
    open = choices;
  }
  if (chosen < 0) {
    is_complete_ = false;
    return bound;
  }
  std::sort(open.begin(), open.end(), [](const Choice& a, const Choice& b) {
    return a.reduced != b.reduced ? a.reduced < b.reduced : a.j < b.j;
  });
  double lowest = std::numeric_limits<double>::infinity();
  for (const auto& [reduced, j] : open) {
    if (node.load[j] > node.slack[0]) continue;
    const Knapsack child = with_choice(node, chosen, j);
    const double before = best_;
    std::vector<int32_t> found(node.classes());
    lowest = std::min(lowest, solve_node(child, depth + 1, found));
    if (best_ >= before) continue;
    for (int32_t c = 0; c < node.classes(); ++c) {
      picked[c] = c == chosen ? j : found[c] - child.first[c] + node.first[c];
    }
  }
  // The choices left out cost at least best_.
  return std::max(bound, std::min(lowest, best_));
}

}  // namespace qbitopt
