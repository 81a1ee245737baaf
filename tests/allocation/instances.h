#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "qbitopt/allocation/budget_check.h"
#include "qbitopt/allocation/problem.h"
#include "qbitopt/core/random.h"

namespace qbitopt::test {

enum class Weights { kEqual, kSixDecades };
enum class Costs { kFit, kConvex, kArbitrary };

struct InstanceKind {
  Weights weights = Weights::kSixDecades;
  Costs costs = Costs::kFit;
  std::vector<int> bits = {2, 3, 4, 5, 6, 7, 8};
};

// Sensitivities over twelve decades, a tenth of them zero and a tenth equal to the one before.
inline Problem random_problem(Random& random, int quantizers, const InstanceKind& kind) {
  Problem problem;
  double sensitivity = 1;
  for (int q = 0; q < quantizers; ++q) {
    AllocationQuantizer quantizer{"q" + std::to_string(q), 1, kind.bits, {}};
    if (kind.weights == Weights::kSixDecades) {
      quantizer.weight = static_cast<int64_t>(std::pow(10.0, 6 * random.uniform()));
    }
    const double special = random.uniform();
    if (special > 0.1) sensitivity = std::pow(10.0, 12 * random.uniform() - 6);
    if (special > 0.9) sensitivity = 0;
    double slope = sensitivity * std::pow(10.0, 2 * random.uniform());
    double cost = 1000 * sensitivity;
    for (size_t i = 0; i < kind.bits.size(); ++i) {
      const double u = std::exp2(kind.bits[i]) - 1;
      switch (kind.costs) {
        case Costs::kFit:
          quantizer.costs.push_back(sensitivity / (u * u));
          break;
        case Costs::kConvex:
          quantizer.costs.push_back(cost);
          if (i + 1 < kind.bits.size()) cost -= slope * (kind.bits[i + 1] - kind.bits[i]);
          slope *= random.uniform();
          break;
        case Costs::kArbitrary:
          quantizer.costs.push_back(sensitivity / u * random.uniform());
          break;
      }
    }
    problem.quantizers.push_back(std::move(quantizer));
  }
  return problem;
}

inline std::vector<int> all_members(const Problem& problem) {
  std::vector<int> members(problem.quantizers.size());
  std::iota(members.begin(), members.end(), 0);
  return members;
}

// Even indices are weights, odd ones activations.
inline std::vector<int> every_second(const Problem& problem, int first) {
  std::vector<int> members;
  for (size_t q = first; q < problem.quantizers.size(); q += 2)
    members.push_back(static_cast<int>(q));
  return members;
}

// Some number of hundredths of a bit between the ends of 2 .. 8, so that the budgets are met by
// some allocation.
inline Decimal random_average(Random& random) {
  return {static_cast<int64_t>(200 + random.below(601)), 2};
}

// The least cost of any allocation within the budgets, by trying them all.
inline double brute_force(const Problem& problem) {
  std::vector<int> bits(problem.quantizers.size());
  double best = std::numeric_limits<double>::infinity();
  const std::function<void(size_t, double)> extend = [&](size_t q, double cost) {
    if (q == bits.size()) {
      if (cost < best && is_within_budgets(problem, bits)) best = cost;
      return;
    }
    for (size_t i = 0; i < problem.quantizers[q].bits.size(); ++i) {
      bits[q] = problem.quantizers[q].bits[i];
      extend(q + 1, cost + problem.quantizers[q].costs[i]);
    }
  };
  extend(0, 0);
  return best;
}

// "quantizer: weight; bits:cost ..." per line and the budgets, for the message of a failing test.
inline std::string describe(const Problem& problem) {
  std::string text;
  if (problem.quantizers.size() > 20)
    return std::to_string(problem.quantizers.size()) + " quantizers";
  for (const AllocationQuantizer& quantizer : problem.quantizers) {
    text += quantizer.name + ": " + std::to_string(quantizer.weight) + ";";
    for (size_t i = 0; i < quantizer.bits.size(); ++i) {
      char cost[40];
      std::snprintf(cost, sizeof cost, " %d:%.17g", quantizer.bits[i], quantizer.costs[i]);
      text += cost;
    }
    text += "\n";
  }
  for (const Budget& budget : problem.budgets)
    text += budget.name + "=" + budget.average_bits.text() + "\n";
  return text;
}

}  // namespace qbitopt::test
