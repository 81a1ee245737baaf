#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace qbitopt {

inline constexpr double kInfinity = std::numeric_limits<double>::infinity();

// A decimal number without rounding: value / 10^digits. Budgets are compared in integers, without
// tolerance.
struct Decimal {
  int64_t value = 0;
  int digits = 0;

  double to_double() const;
  // As a person writes it, without trailing zeros: "2.5", "4".
  std::string text() const;
  // "2.5", "4", "12.95", ".5"; not negative. Throws InputError on anything else, beyond 9 decimals
  // or beyond 18 digits.
  static Decimal parse(const std::string& text);
  // The decimal that a person wrote for this double: its shortest form that reads back the same.
  // Throws InputError as parse does.
  static Decimal from_double(double value);

  friend bool operator==(const Decimal&, const Decimal&) = default;
};

// Limit on what some quantizers use together, in one of two units:
//   average:  sum(weight * bits) <= average_bits * sum(weight)
//   bytes:    sum(weight * bits) <= 8 * bytes                     (when `bytes` is set)
struct Budget {
  std::string name;          // "weight", "activation", "joint"
  std::vector<int> members;  // indices into Problem::quantizers
  Decimal average_bits;
  std::optional<int64_t> bytes = std::nullopt;
};

// Limit on bit operations: sum over pairs of macs * weight bits * activation bits <= limit.
struct BopsBudget {
  struct Pair {
    int weight = 0;      // index of the layer's weight quantizer
    int activation = 0;  // and of its input's quantizer; several pairs may share one
    int64_t macs = 0;    // multiply-accumulates of the layer, per sample
  };
  std::string name = "bops";
  std::vector<Pair> pairs;
  int64_t limit = 0;
};

// One tensor to choose bits for.
struct AllocationQuantizer {
  std::string name;
  int64_t weight = 1;         // its share in the average: elements, 1 or MACs; >= 0
  std::vector<int> bits;      // candidates, ascending, each in 1 .. 64
  std::vector<double> costs;  // of each candidate, finite; infinity forbids one
};

// Minimize the sum of costs under every budget.
struct Problem {
  std::vector<AllocationQuantizer> quantizers;
  std::vector<Budget> budgets;
  std::vector<BopsBudget> bops = {};
};

// Throws InputError that names the quantizer or budget at fault: no candidates, sizes that differ,
// bits out of order, a cost that is NaN, a quantizer whose choices are all forbidden, a negative
// weight, a member that does not exist or is named twice, weights whose weighted sum of bits leaves
// 62 bits.
void validate(const Problem& problem);

// Of one candidate for each quantizer, by its index.
double total_cost(const Problem& problem, const std::vector<int>& choice);

// The most that sum(weight * bits) over the members may be, exactly:
// floor(average_bits * sum(weight)), or 8 * bytes. `problem` is valid.
int64_t capacity(const Budget& budget, const Problem& problem);

}  // namespace qbitopt
