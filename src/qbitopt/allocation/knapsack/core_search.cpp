#include "qbitopt/allocation/knapsack/core_search.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace qbitopt {
namespace {

// Below the optimum's excess a search ends soon, above it the work grows steeply: so the limit
// comes from far below, in small steps.
constexpr double kFirstLimit = 1.0 / 64;  // of the excess at the start
constexpr double kLimitGrowth = 1.5;

}  // namespace

void CoreSearch::States::clear() {
  d.clear();
  e.clear();
  node.clear();
}

// Replaces the last state if it has the same load.
void CoreSearch::States::push(int64_t state_d, double state_e, int32_t state_node) {
  if (!d.empty() && d.back() == state_d) {
    e.back() = state_e;
    node.back() = state_node;
    return;
  }
  d.push_back(state_d);
  e.push_back(state_e);
  node.push_back(state_node);
}

// Items that could be part of a better allocation, by class; classes from large loads to small
// ones.
void CoreSearch::prepare() {
  const Knapsack& knapsack = task_->knapsack;
  core_.clear();
  items_.clear();
  for (const int32_t c : task_->members) {
    const int32_t base = task_->base[c];
    CoreClass core{c, static_cast<int32_t>(items_.size()), 0, 0};
    for (int32_t j = knapsack.first[c]; j < knapsack.first[c + 1]; ++j) {
      const int64_t d = knapsack.load[j] - knapsack.load[base];
      const double e = knapsack.cost[j] - knapsack.cost[base];
      const double r = std::max(0.0, e + task_->price * static_cast<double>(d));
      if (j == base || r >= best_) continue;
      items_.push_back({d, e, r, j});
      core.reach = std::max(core.reach, std::abs(d));
    }
    core.last = static_cast<int32_t>(items_.size());
    if (core.first < core.last) core_.push_back(core);
  }
  std::sort(core_.begin(), core_.end(), [](const CoreClass& x, const CoreClass& y) {
    return x.reach != y.reach ? x.reach > y.reach : x.c < y.c;
  });
  steps_.clear();
  for (size_t i = 0; i < core_.size(); ++i) add_steps(static_cast<int>(i));
  std::sort(steps_.begin(), steps_.end(), [](const RestBound::Step& x, const RestBound::Step& y) {
    return x.ratio != y.ratio ? x.ratio < y.ratio : x.owner < y.owner;
  });
}

// The lower convex hull of r over d, away from the base both ways.
void CoreSearch::add_steps(int core) {
  const auto ratio = [](const Corner& from, const Corner& to) {
    return std::max(0.0, to.r - from.r) / std::abs(to.d - from.d);
  };
  const auto walk = [&](int32_t from, int32_t to, int32_t stride) {
    hull_.assign(1, {0, 0, 0});
    for (int32_t i = from; i != to; i += stride) {
      Corner next{static_cast<double>(items_[i].d), items_[i].r, items_[i].r};
      while (hull_.size() > 1 &&
             ratio(hull_.end()[-2], hull_.back()) >= ratio(hull_.back(), next)) {
        next.reach = std::min(next.reach, hull_.back().reach);
        hull_.pop_back();
      }
      hull_.push_back(next);
    }
    for (size_t k = 1; k < hull_.size(); ++k) {
      steps_.push_back(
          {ratio(hull_[k - 1], hull_[k]), hull_[k].d - hull_[k - 1].d, hull_[k].reach, core});
    }
  };
  const auto [c, first, last, reach] = core_[core];
  int32_t middle = first;
  while (middle < last && items_[middle].d < 0) ++middle;
  walk(middle, last, 1);
  walk(middle - 1, first - 1, -1);
}

// Every state with every item of a class below the limit. False: time or memory is up.
bool CoreSearch::extend(States& states, RestBound& rest, int core) {
  rest.remove(core);
  const double cut = std::min(best_ - task_->tolerance, limit_);
  const RestBound::Piece* const pieces = rest.pieces();
  const RestBound::Piece* piece = pieces;
  const auto is_promising = [&](int64_t d, double e) {
    const double left = static_cast<double>(task_->slack - d);
    while (left < piece->from) ++piece;
    return e + task_->price * static_cast<double>(d) + (piece->a + piece->b * left) < cut;
  };
  merged_.clear();
  for (size_t i = 0; i < states.size(); ++i) {
    if (is_promising(states.d[i], states.e[i]))
      merged_.push(states.d[i], states.e[i], states.node[i]);
  }
  for (int32_t item = core_[core].first; item < core_[core].last; ++item) {
    const auto [step, change, reduced, choice] = items_[item];
    if (reduced >= cut) continue;
    // Merges the old states, and those that the other items gave, with the ones that this item
    // gives.
    next_.clear();
    piece = pieces;
    double lowest = kInfinity;
    size_t old = 0;
    const auto take_old_until = [&](int64_t d) {
      for (; old < merged_.size() && merged_.d[old] <= d; ++old) {
        if (merged_.e[old] >= lowest) continue;
        lowest = merged_.e[old];
        next_.push(merged_.d[old], lowest, merged_.node[old]);
      }
    };
    for (size_t i = 0; i < states.size(); ++i) {
      const int64_t d = states.d[i] + step;
      const double e = states.e[i] + change;
      take_old_until(d);
      if (e >= lowest || !is_promising(d, e)) continue;
      lowest = e;
      next_.push(d, e, static_cast<int32_t>(nodes_.size()));
      nodes_.push_back({states.node[i], core, choice});
    }
    take_old_until(std::numeric_limits<int64_t>::max());
    std::swap(merged_, next_);
  }
  std::swap(states, merged_);
  return nodes_.size() < task_->most_states && Clock::now() < task_->deadline;
}

// The best pair of states that fit together.
void CoreSearch::combine() {
  const double unfilled = task_->price * static_cast<double>(task_->slack);
  size_t j = back_.size();
  for (size_t i = 0; i < front_.size(); ++i) {
    while (j > 0 && front_.d[i] + back_.d[j - 1] > task_->slack) --j;
    if (j == 0) return;
    const double excess = unfilled + (front_.e[i] + back_.e[j - 1]);
    if (excess >= best_) continue;
    best_ = std::max(excess, 0.0);
    best_front_ = front_.node[i];
    best_back_ = back_.node[j - 1];
    is_improved_ = true;
  }
}

// The best allocation whose r add up to less than the limit, if it is better than the best known.
// False: time or memory is up.
bool CoreSearch::search() {
  const int count = static_cast<int>(core_.size());
  front_rest_.start(steps_, count, limit_, task_->price);
  back_rest_.start(steps_, count, limit_, task_->price);
  nodes_.clear();
  is_improved_ = false;
  for (States* states : {&front_, &back_}) {
    states->clear();
    states->push(0, 0, -1);
  }
  size_t next_combine = 1000;
  bool goes_on = true;
  for (int begin = 0, end = count; begin < end && goes_on;) {
    if (front_.size() <= back_.size()) {
      goes_on = extend(front_, front_rest_, begin++);
    } else {
      goes_on = extend(back_, back_rest_, --end);
    }
    if (front_.size() == 0 || back_.size() == 0) return true;
    if (front_.size() + back_.size() > next_combine) {
      combine();
      next_combine *= 2;
    }
  }
  combine();
  return goes_on;
}

CoreSearch::Proof CoreSearch::solve(const Task& task, std::vector<int32_t>& picked) {
  task_ = &task;
  const Knapsack& knapsack = task.knapsack;
  best_ = task.price * static_cast<double>(task.slack);
  double excess = best_;
  for (const int32_t c : task.members)
    excess += knapsack.cost[picked[c]] - knapsack.cost[task.base[c]];
  if (excess < best_) {
    best_ = std::max(0.0, excess);
  } else {
    for (const int32_t c : task.members) picked[c] = task.base[c];
  }
  best_ = std::min(best_, task.cutoff);
  double proven = 0;
  if (best_ <= task.tolerance) return {best_, true};
  prepare();
  for (limit_ = best_ * kFirstLimit; best_ - proven > task.tolerance; limit_ *= kLimitGrowth) {
    limit_ = std::min(limit_, best_);
    const bool is_finished = search();
    if (is_improved_) {
      for (const int32_t c : task.members) picked[c] = task.base[c];
      for (int32_t node : {best_front_, best_back_}) {
        for (; node >= 0; node = nodes_[node].parent) {
          picked[core_[nodes_[node].core].c] = nodes_[node].choice;
        }
      }
    }
    if (!is_finished) return {proven, false};
    proven = std::min(limit_, best_);
  }
  return {best_, true};
}

}  // namespace qbitopt
