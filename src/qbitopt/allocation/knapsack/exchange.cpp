#include "qbitopt/allocation/knapsack/exchange.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

namespace qbitopt {
namespace {

struct Move {
  int64_t d;  // change of the load
  double e;   // change of the cost
  int32_t c;  // -1: nothing moves
  int32_t choice;
};

// Of the moves up to some place: the best, and the best of another class.
struct Best {
  int32_t first = -1;
  int32_t second = -1;

  void add(const std::vector<Move>& moves, int32_t i) {
    if (first < 0 || moves[i].e < moves[first].e) {
      if (first >= 0 && moves[first].c != moves[i].c) second = first;
      first = i;
    } else if (moves[i].c != moves[first].c && (second < 0 || moves[i].e < moves[second].e)) {
      second = i;
    }
  }
  int32_t beside(const std::vector<Move>& moves, int32_t c) const {
    return first >= 0 && moves[first].c == c ? second : first;
  }
};

// Exchanges among the classes of one leaf budget.
class Group {
 public:
  Group(const Knapsack& knapsack, double price, std::vector<int32_t> classes)
      : knapsack_(knapsack), price_(price), classes_(std::move(classes)) {}

  // Makes the best exchange within `room`. Returns what it saves; 0: there is none. `excess`:
  // distance to the bound.
  double improve(std::vector<int32_t>& picked, int64_t& room, double excess, double least) {
    collect(picked, excess);
    best_.resize(moves_.size());
    Best best;
    for (size_t i = 0; i < moves_.size(); ++i) {
      best.add(moves_, static_cast<int32_t>(i));
      best_[i] = best;
    }
    double saved = least;
    int32_t one = -1, other = -1;
    size_t fits = moves_.size();  // the first `fits` moves fit beside move i
    for (size_t i = 0; i < moves_.size(); ++i) {
      while (fits > 0 && moves_[i].d + moves_[fits - 1].d > room) --fits;
      if (fits == 0) break;
      const int32_t partner = best_[fits - 1].beside(moves_, moves_[i].c);
      if (partner < 0) continue;
      if (-(moves_[i].e + moves_[partner].e) > saved) {
        saved = -(moves_[i].e + moves_[partner].e);
        one = static_cast<int32_t>(i);
        other = partner;
      }
    }
    if (one < 0) return 0;
    for (const int32_t i : {one, other}) {
      if (moves_[i].c < 0) continue;
      picked[moves_[i].c] = moves_[i].choice;
      room -= moves_[i].d;
    }
    return saved;
  }

 private:
  void collect(const std::vector<int32_t>& picked, double excess) {
    moves_.assign(1, {0, 0, -1, -1});
    for (const int32_t c : classes_) {
      const auto paid = [&](int32_t j) {
        return knapsack_.cost[j] + price_ * static_cast<double>(knapsack_.load[j]);
      };
      double lowest = paid(knapsack_.first[c]);
      for (int32_t j = knapsack_.first[c] + 1; j < knapsack_.first[c + 1]; ++j) {
        lowest = std::min(lowest, paid(j));
      }
      for (int32_t j = knapsack_.first[c]; j < knapsack_.first[c + 1]; ++j) {
        if (j == picked[c] || paid(j) - lowest >= excess) continue;
        moves_.push_back({knapsack_.load[j] - knapsack_.load[picked[c]],
                          knapsack_.cost[j] - knapsack_.cost[picked[c]], c, j});
      }
    }
    std::sort(moves_.begin(), moves_.end(), [](const Move& x, const Move& y) {
      return std::tuple(x.d, x.e, x.c) < std::tuple(y.d, y.e, y.c);
    });
  }

  const Knapsack& knapsack_;
  double price_;
  std::vector<int32_t> classes_;
  std::vector<Move> moves_;
  std::vector<Best> best_;
};

}  // namespace

void exchange(const Knapsack& knapsack, const Dual& dual, std::vector<int32_t>& picked,
              int most_rounds) {
  std::vector<std::vector<int32_t>> classes(knapsack.budgets());
  std::vector<int64_t> slack = knapsack.slack;
  double objective = 0;
  for (int c = 0; c < knapsack.classes(); ++c) {
    objective += knapsack.cost[picked[c]];
    if (knapsack.leaf[c] < 0) continue;
    classes[knapsack.leaf[c]].push_back(c);
    for (int g = knapsack.leaf[c]; g >= 0; g = knapsack.parent[g]) {
      slack[g] -= knapsack.load[picked[c]];
    }
  }
  double excess = objective - dual.bound;
  const double least = 1e-15 * std::abs(objective);
  for (int leaf = 0; leaf < knapsack.budgets(); ++leaf) {
    if (classes[leaf].empty()) continue;
    Group group(knapsack, dual.price[leaf], std::move(classes[leaf]));
    for (int round = 0; round < most_rounds; ++round) {
      int64_t room = std::numeric_limits<int64_t>::max() / 4;
      for (int g = leaf; g >= 0; g = knapsack.parent[g]) room = std::min(room, slack[g]);
      const int64_t before = room;
      const double saved = group.improve(picked, room, excess, least);
      if (saved <= 0) break;
      excess -= saved;
      for (int g = leaf; g >= 0; g = knapsack.parent[g]) slack[g] += room - before;
    }
  }
}

}  // namespace qbitopt
