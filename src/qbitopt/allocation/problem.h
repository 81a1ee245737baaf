#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace qbitopt {

// A decimal number without rounding: value / 10^digits. Budgets are compared in integers, without tolerance.
struct Decimal {
  int64_t value = 0;
  int digits = 0;

  double to_double() const;
  // "2.5", "4", "12.95". Throws InputError on anything else, or beyond 9 decimals.
  static Decimal parse(const std::string& text);
  // The decimal that a person wrote for this double: its shortest form that reads back the same.
  static Decimal from_double(double value);
};

// Limit on the weighted average bits of some quantisers: sum(weight * bits) <= average_bits * sum(weight).
struct Budget {
  std::string name;      // "weight", "activation", "joint"
  std::vector<int> members;  // indices into Problem::quantizers
  Decimal average_bits;
};

// One tensor to choose bits for.
struct AllocationQuantizer {
  std::string name;
  int64_t weight = 1;             // its share in the average: elements, 1 or MACs; > 0
  std::vector<int> bits;          // candidates, ascending
  std::vector<double> costs;      // of each candidate, >= 0; infinity forbids one
};

// Minimise the sum of costs under every budget.
struct Problem {
  std::vector<AllocationQuantizer> quantizers;
  std::vector<Budget> budgets;
};

}  // namespace qbitopt
