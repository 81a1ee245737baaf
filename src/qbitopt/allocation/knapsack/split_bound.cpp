#include "qbitopt/allocation/knapsack/split_bound.h"

#include <algorithm>
#include <cmath>

namespace qbitopt {
namespace {

constexpr int kSplits = 8;
// About so many steps are looked at on each side of the price, and at most four times as many.
constexpr double kSteps = 64;
constexpr size_t kMostSteps = 256;
// Steps of a class follow each other at about this distance in log slope (a bit: a factor of 4).
constexpr double kLogDistance = 1.4;

// Keeps the steps nearest to the price, in order. `edge`: the slope where those left out begin.
template <typename Step, typename Nearer>
void sort_nearest(std::vector<Step>& steps, double& edge, const Nearer& nearer) {
  if (steps.size() > kMostSteps) {
    std::nth_element(steps.begin(), steps.begin() + kMostSteps, steps.end(), nearer);
    edge = steps[kMostSteps].slope;
    steps.resize(kMostSteps);
  }
  std::sort(steps.begin(), steps.end(), nearer);
}

}  // namespace

void SplitBound::collect_steps(const Knapsack& knapsack, const Hull& hull, const Dual& dual,
                               int budget) {
  const auto members = knapsack.members(budget);
  const double reach = std::exp(kLogDistance * kSteps / static_cast<double>(members.size()));
  flattest_ = price_ / reach;
  steepest_ = price_ * reach;
  bool ends_below = true, ends_above = true;
  next_.clear();
  taken_.clear();
  for (const int32_t c : members) {
    const int32_t first = hull.first[c];
    const int32_t end = hull.first[c + 1];
    const int32_t position = first + dual.position[c];
    int32_t step = position;
    for (; step < end && hull.slope[step] > flattest_; ++step) {
      next_.push_back({hull.slope[step], hull.load[step], c, step - first});
    }
    ends_below &= step == end;
    for (step = position - 1; step >= first && hull.slope[step] < steepest_; --step) {
      taken_.push_back({hull.slope[step], hull.load[step], c, step - first});
    }
    ends_above &= step < first;
  }
  if (ends_below) flattest_ = 0;
  if (ends_above) steepest_ = kInfinity;
  sort_nearest(next_, flattest_, [](const Step& a, const Step& b) {
    return a.slope != b.slope ? a.slope > b.slope : a.c < b.c;
  });
  sort_nearest(taken_, steepest_, [](const Step& a, const Step& b) {
    return a.slope != b.slope ? a.slope < b.slope : a.c > b.c;
  });
}

// A relaxation's cost is the dual's value and, for every unit of load that it moves away from the
// dual's choice, the difference of slope and price.
void SplitBound::relax(const Knapsack& knapsack, const Hull& hull, const Dual& dual, int budget,
                       Half& half) const {
  const auto limit_of = [&](int32_t c) {
    for (const Limit& limit : half.limits)
      if (limit.c == c) return limit;
    return Limit{c, 0, hull.first[c + 1] - hull.first[c]};
  };
  long double excess = 0;  // of many terms: rounded in double, it might end too high
  const auto move = [&](double slope, int64_t load) {
    const double moved = static_cast<double>(load);
    // Less what rounding may have added.
    excess +=
        static_cast<long double>(std::abs(slope - price_) - 0x1.0p-50 * std::max(slope, price_)) *
        moved;
  };
  int64_t slack = dual.slack[budget];
  for (const auto& [c, least, most] : half.limits) {
    const int32_t first = hull.first[c];
    for (int32_t i = dual.position[c]; i < least; ++i) {
      move(hull.slope[first + i], hull.load[first + i]);
      slack -= hull.load[first + i];
    }
    for (int32_t i = dual.position[c] - 1; i >= most; --i) {
      move(hull.slope[first + i], hull.load[first + i]);
      slack += hull.load[first + i];
    }
  }
  half.c = -1;
  const bool is_full = slack < 0;
  int64_t left = std::abs(slack);  // to be filled, or given back
  for (const Step& step : is_full ? taken_ : next_) {
    if (left == 0) break;
    const Limit limit = limit_of(step.c);
    if (step.index < limit.least || step.index >= limit.most) continue;
    const int64_t load = std::min(step.load, left);
    move(step.slope, load);
    left -= load;
    const int32_t end = hull.first[step.c] + step.index;
    const int32_t from = step.index == 0 ? knapsack.first[step.c] : hull.choice[end - 1];
    if (load < step.load && hull.choice[end] == from + 1) {
      half.c = step.c;
      half.index = step.index;
    }
  }
  if (left > 0 && is_full && steepest_ == kInfinity) {
    excess = kInfinity;  // the budget cannot be kept
  } else if (left > 0) {
    move(is_full ? steepest_ : flattest_, left);
  }
  half.excess = static_cast<double>(excess);
}

SplitBound::Half SplitBound::part_of(const Half& whole, const Hull& hull, bool takes_more) const {
  Half part{whole.limits};
  const auto is_split = [&](const Limit& limit) { return limit.c == whole.c; };
  auto limit = std::find_if(part.limits.begin(), part.limits.end(), is_split);
  if (limit == part.limits.end()) {
    const int32_t steps = hull.first[whole.c + 1] - hull.first[whole.c];
    limit = part.limits.insert(limit, {whole.c, 0, steps});
  }
  (takes_more ? limit->least : limit->most) = takes_more ? whole.index + 1 : whole.index;
  return part;
}

double SplitBound::gain_of(const Knapsack& knapsack, const Hull& hull, const Dual& dual,
                           int budget) {
  price_ = dual.price[budget];
  if (price_ == 0) return 0;
  collect_steps(knapsack, hull, dual, budget);
  std::vector<Half> halves(1);
  relax(knapsack, hull, dual, budget, halves[0]);
  const auto lowest = [&] {
    return std::min_element(halves.begin(), halves.end(),
                            [](const Half& a, const Half& b) { return a.excess < b.excess; });
  };
  for (int split = 0; split < kSplits && lowest()->c >= 0; ++split) {
    Half& half = *lowest();
    Half more = part_of(half, hull, /*takes_more=*/true);
    half = part_of(half, hull, /*takes_more=*/false);
    for (Half* part : {&half, &more}) relax(knapsack, hull, dual, budget, *part);
    halves.push_back(std::move(more));
  }
  return std::max(0.0, lowest()->excess);
}

double SplitBound::gain(const Knapsack& knapsack, const Hull& hull, const Dual& dual) {
  double gain = 0;
  for (int g = 0; g < knapsack.budgets(); ++g) {
    const auto& parents = knapsack.parent;
    const bool is_alone =
        parents[g] < 0 && std::find(parents.begin(), parents.end(), g) == parents.end();
    if (is_alone) gain += gain_of(knapsack, hull, dual, g);
  }
  return gain;
}

}  // namespace qbitopt
