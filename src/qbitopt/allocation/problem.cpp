#include "qbitopt/allocation/problem.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "qbitopt/core/error.h"

namespace qbitopt {
namespace {

constexpr int64_t kLargestSum = int64_t{1} << 62;

[[noreturn]] void fail_quantizer(const AllocationQuantizer& quantizer, const std::string& what) {
  throw InputError("quantizer '" + quantizer.name + "': " + what);
}

// Returns its largest cost, without a sign.
double validate_quantizer(const AllocationQuantizer& quantizer) {
  const size_t count = quantizer.bits.size();
  if (count == 0) fail_quantizer(quantizer, "has no candidate bit-widths");
  if (quantizer.costs.size() != count) {
    fail_quantizer(quantizer, std::to_string(count) + " candidate bit-widths but " +
                                  std::to_string(quantizer.costs.size()) + " costs");
  }
  if (quantizer.weight < 0) {
    fail_quantizer(quantizer, "weight " + std::to_string(quantizer.weight) + " is negative");
  }
  bool allowed = false;
  double largest = 0;
  for (size_t i = 0; i < count; ++i) {
    const int bits = quantizer.bits[i];
    const double cost = quantizer.costs[i];
    if (bits < 1 || bits > 64) {
      fail_quantizer(quantizer, std::to_string(bits) + " bits; expected 1 to 64");
    }
    if (i > 0 && bits <= quantizer.bits[i - 1]) {
      fail_quantizer(quantizer, "candidate bit-widths must ascend, but " + std::to_string(bits) +
                                    " follows " + std::to_string(quantizer.bits[i - 1]));
    }
    if (!(cost > -std::numeric_limits<double>::infinity())) {
      fail_quantizer(quantizer, "the cost of " + std::to_string(bits) + " bits is " +
                                    (std::isnan(cost) ? "not a number" : "minus infinity"));
    }
    if (cost == kInfinity) continue;
    allowed = true;
    largest = std::max(largest, std::abs(cost));
  }
  if (!allowed) fail_quantizer(quantizer, "every candidate is forbidden (infinite cost)");
  return largest;
}

// Indices in range and none twice. `seen` is all zero before and after.
void validate_members(const Budget& budget, size_t quantizers, std::vector<char>& seen) {
  for (const int member : budget.members) {
    if (member < 0 || static_cast<size_t>(member) >= quantizers) {
      throw InputError("budget '" + budget.name + "' names quantizer " + std::to_string(member) +
                       ", but there are " + std::to_string(quantizers));
    }
    if (seen[member]) {
      throw InputError("budget '" + budget.name + "' names quantizer " + std::to_string(member) +
                       " twice");
    }
    seen[member] = 1;
  }
  for (const int member : budget.members) seen[member] = 0;
}

void validate_bops(const BopsBudget& budget, const Problem& problem) {
  __int128 most = 0;
  for (const BopsBudget::Pair& pair : budget.pairs) {
    for (const int member : {pair.weight, pair.activation}) {
      if (member < 0 || static_cast<size_t>(member) >= problem.quantizers.size()) {
        throw InputError("budget '" + budget.name + "' names quantizer " + std::to_string(member) +
                         ", but there are " + std::to_string(problem.quantizers.size()));
      }
    }
    if (pair.macs < 0) {
      throw InputError("budget '" + budget.name + "': " + std::to_string(pair.macs) +
                       " macs; expected 0 or more");
    }
    most += static_cast<__int128>(pair.macs) * problem.quantizers[pair.weight].bits.back() *
            problem.quantizers[pair.activation].bits.back();
  }
  if (most > kLargestSum) {
    throw InputError("budget '" + budget.name + "': the bit operations exceed 2^62");
  }
}

}  // namespace

double Decimal::to_double() const { return static_cast<double>(value) / std::pow(10.0, digits); }

std::string Decimal::text() const {
  std::string text = std::to_string(value);
  if (digits == 0) return text;
  if (text.size() <= static_cast<size_t>(digits)) text.insert(0, digits + 1 - text.size(), '0');
  text.insert(text.size() - digits, ".");
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text;
}

Decimal Decimal::parse(const std::string& text) {
  const auto fail = [&](const std::string& why) {
    throw InputError("'" + text + "' is not a decimal number: " + why);
  };
  Decimal decimal;
  int read = 0;
  bool point = false;
  for (const char c : text) {
    if (c == '.' && !point) {
      point = true;
    } else if (c >= '0' && c <= '9') {
      if (decimal.value != 0 || c != '0') ++read;
      if (read > 18) fail("more than 18 digits");
      decimal.value = decimal.value * 10 + (c - '0');
      decimal.digits += point;
      if (decimal.digits > 9) fail("more than 9 decimals");
    } else {
      fail("expected digits and at most one point, as in 2.5");
    }
  }
  if (text.empty() || text == ".") fail("expected digits and at most one point, as in 2.5");
  return decimal;
}

Decimal Decimal::from_double(double value) {
  char buffer[400];
  const auto written =
      std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed);
  return parse(std::string(buffer, written.ptr));
}

void validate(const Problem& problem) {
  __int128 most = 0;
  double costs = 0;
  for (const AllocationQuantizer& quantizer : problem.quantizers) {
    costs += validate_quantizer(quantizer);
    most += static_cast<__int128>(quantizer.weight) * quantizer.bits.back();
  }
  if (most > kLargestSum) {
    throw InputError("the weights are too large: the sum of weight * bits exceeds 2^62");
  }
  if (costs == kInfinity) {
    throw InputError(
        "the costs are too large: their sum exceeds a double; write inf to forbid a candidate");
  }
  std::vector<char> seen(problem.quantizers.size(), 0);
  for (const Budget& budget : problem.budgets) {
    validate_members(budget, problem.quantizers.size(), seen);
    if (budget.bytes && (*budget.bytes < 0 || *budget.bytes > kLargestSum / 8)) {
      throw InputError("budget '" + budget.name + "': " + std::to_string(*budget.bytes) +
                       " bytes; expected 0 to 2^59");
    }
  }
  for (const BopsBudget& budget : problem.bops) validate_bops(budget, problem);
}

double total_cost(const Problem& problem, const std::vector<int>& choice) {
  double total = 0;
  for (size_t q = 0; q < choice.size(); ++q) total += problem.quantizers[q].costs[choice[q]];
  return total;
}

int64_t capacity(const Budget& budget, const Problem& problem) {
  if (budget.bytes) return *budget.bytes * 8;
  __int128 total = 0;
  for (const int member : budget.members) total += problem.quantizers[member].weight;
  __int128 unit = 1;
  for (int i = 0; i < budget.average_bits.digits; ++i) unit *= 10;
  const __int128 limit = budget.average_bits.value * total / unit;
  return static_cast<int64_t>(std::min<__int128>(limit, std::numeric_limits<int64_t>::max()));
}

}  // namespace qbitopt
