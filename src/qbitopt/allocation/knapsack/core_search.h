#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <vector>

#include "qbitopt/allocation/knapsack/knapsack.h"
#include "qbitopt/allocation/knapsack/rest_bound.h"

namespace qbitopt {

// Solves the knapsack of one budget to proven optimality, given the dual's answer.
//
// At the dual's price p every class has a base, its best choice there. Another choice differs from
// it by a load d and a cost e, and has the reduced cost r = e + p * d >= 0. An allocation costs the
// dual's value plus its
//
//   excess = sum of r + p * (slack left),      slack left = slack of the base - sum of d >= 0
//
// so no choice with r > excess of the optimum is part of it. The search guesses a limit, finds the
// best allocation whose r add up to less, and is done when its excess is at most the limit; else it
// raises the limit. For one limit:
//   - classes go from large loads to small ones. From both ends lists of states (d, e: sums over
//     the classes so far) grow, class by class, the shorter list first;
//   - a state is dropped if another has no more load and costs no more, or if its r plus what the
//     classes still to come must pay at least for its slack (RestBound) is not below the limit or
//     the best excess known;
//   - one pass over both lists finds the best pair that fits.
class CoreSearch {
 public:
  using Clock = std::chrono::steady_clock;

  struct Task {
    const Knapsack& knapsack;
    std::span<const int32_t> members;  // classes under the budget
    double price;                      // > 0
    std::span<const int32_t> base;     // per class of the knapsack: choice
    int64_t slack;                     // of the base, >= 0
    double tolerance;                  // excess that counts as nothing
    Clock::time_point deadline;
    double cutoff;  // an excess that is known to be reachable elsewhere; infinity: none
    size_t most_states;
  };
  // `picked`: per class of the knapsack, a choice. On entry an allocation that fits, on return the
  // best one found; only members are touched. Returns an excess that no allocation is below by more
  // than the tolerance: that of the result (or the cutoff), unless the deadline or the states
  // came first.
  struct Proof {
    double excess;
    bool is_complete;
  };
  Proof solve(const Task& task, std::vector<int32_t>& picked);

 private:
  struct Item {  // a choice other than the base
    int64_t d;
    double e, r;
    int32_t choice;
  };
  struct CoreClass {
    int32_t c;            // of the knapsack
    int32_t first, last;  // items_
    int64_t reach;        // largest |d|
  };
  struct Node {  // what a state did: this choice, after those of its parent
    int32_t parent, core, choice;
  };
  struct States {  // d ascends, e falls strictly
    std::vector<int64_t> d;
    std::vector<double> e;
    std::vector<int32_t> node;  // -1: base everywhere

    size_t size() const { return d.size(); }
    void clear();
    void push(int64_t state_d, double state_e, int32_t state_node);
  };

  struct Corner {
    double d, r;
    double reach;  // the least r of the items after the corner before
  };

  void prepare();
  void add_steps(int core);
  bool search();
  bool extend(States& states, RestBound& rest, int core);
  void combine();

  const Task* task_ = nullptr;
  std::vector<Item> items_;
  std::vector<CoreClass> core_;
  std::vector<Corner> hull_;
  std::vector<RestBound::Step> steps_;
  double limit_ = 0;
  double best_ = 0;  // excess
  bool is_improved_ = false;
  int32_t best_front_ = -1, best_back_ = -1;
  std::vector<Node> nodes_;
  RestBound front_rest_, back_rest_;
  States front_, back_, merged_, next_;
};

}  // namespace qbitopt
