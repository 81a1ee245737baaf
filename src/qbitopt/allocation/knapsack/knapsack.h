#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "qbitopt/allocation/problem.h"

namespace qbitopt {

// A Problem as a multiple-choice knapsack, in flat arrays: pick one choice of every class; the
// cheapest picks whose loads fit. Loads are counted from each class's smallest choice, so that
// picking those is the zero point.
//
// Budgets must be laminar: of two that share quantizers, one holds the other (weights inside
// joint). They form a forest: a class is under its leaf budget and all of that one's parents. A
// load counts alike in each of them. A bops budget is taken when no other budget touches its
// quantizers and no two pairs share one: then a class is a layer, and its choices are pairs of
// bit-widths.
struct Knapsack {
  // [classes + 1]: class c has the choices first[c] .. first[c + 1] - 1, with loads strictly
  // ascending and costs strictly descending: forbidden choices, and those that cost no less than a
  // smaller one, are left out.
  std::vector<int32_t> first;
  std::vector<int64_t> load;  // [choices] 0 for the first of a class
  // [choices] times 2^-cost_exponent, so that huge and tiny costs neither overflow nor vanish
  std::vector<double> cost;
  std::vector<int32_t> candidate;  // [choices] index into the quantizer's candidates; pairs:
                                   // weight's * 64 + activation's
  int cost_exponent = 0;

  std::vector<int32_t> leaf;  // [classes] innermost budget, -1: none
  // [budgets] the next larger one, -1: none; children come before parents
  std::vector<int32_t> parent;
  std::vector<int64_t> slack;         // [budgets] what the smallest choices leave free, >= 0
  std::vector<int32_t> member_first;  // [budgets + 1]
  std::vector<int32_t> member;        // classes of budget g: member[member_first[g]] ...

  struct Layer {
    int32_t weight, activation;  // quantizers; activation -1: a class of one quantizer
  };
  std::vector<Layer> layer;  // [classes]

  int classes() const { return static_cast<int>(leaf.size()); }
  int budgets() const { return static_cast<int>(slack.size()); }
  std::span<const int32_t> members(int g) const {
    return {member.data() + member_first[g], member.data() + member_first[g + 1]};
  }

  // Fills this from a valid problem whose smallest choices fit, and leaves out the budgets that
  // cannot bind. Returns why it cannot, if the budgets are not as above; else an empty string.
  std::string build(const Problem& problem);
  // The same, but throws InputError that sends the user of `solver` to milp.
  void require(const Problem& problem, const std::string& solver);

  // Candidate indices of a choice of class c: of its quantizer (its layer's weight), and of the
  // activation or -1.
  Layer choice(int c, int32_t j) const;
  // `picked`: per class, index of a choice. Returns candidate indices per quantizer of `problem`.
  std::vector<int> candidates(const Problem& problem, std::span<const int32_t> picked) const;
};

}  // namespace qbitopt
