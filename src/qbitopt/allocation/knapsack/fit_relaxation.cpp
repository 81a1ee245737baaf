#include "qbitopt/allocation/knapsack/fit_relaxation.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace qbitopt {
namespace {

constexpr int kMostBits = 32;

// u of at most kMostBits.
double steps_at(int bits) { return static_cast<double>((uint64_t{1} << bits) - 1); }

// log2 k at a bit-width: the cubic read the other way round.
double log2_k(double bits) {
  const double u = std::exp2(bits) - 1;
  return 3 * std::log2(u) - bits;
}

// The same of whole bit-widths, which every quantizer asks for.
double log2_k_at(int bits) {
  static const auto table = [] {
    std::array<double, 65> values{};
    for (int i = 1; i < 65; ++i) values[i] = log2_k(i);
    return values;
  }();
  return table[bits];
}

// Bits over x = log2 k, by cubic Hermite interpolation; exact slopes db/dx = u / (2u + 3). Within
// 1e-9 of the root.
class BitsTable {
 public:
  BitsTable() {
    for (int i = 0; i < kNodes; ++i) {
      const double bits = relaxed_bits(std::exp2(kFirst + i / kPerUnit));
      const double u = std::exp2(bits) - 1;
      nodes_[i] = {bits, u / (2 * u + 3) / kPerUnit};
    }
  }

  struct Value {
    double bits;
    double slope;  // db/dx
  };
  Value operator()(double x) const {
    const double place = (x - kFirst) * kPerUnit;
    const int i = std::clamp(static_cast<int>(place), 0, kNodes - 2);
    const double t = place - i;
    const Node& a = nodes_[i];
    const Node& b = nodes_[i + 1];
    const double rise = b.bits - a.bits;
    const double third = a.slope + b.slope - 2 * rise;
    const double second = rise - a.slope - third;
    return {a.bits + t * (a.slope + t * (second + t * third)),
            (a.slope + t * (2 * second + t * 3 * third)) * kPerUnit};
  }

 private:
  static constexpr double kFirst = -1.0625;  // 1 bit is at -1
  static constexpr double kPerUnit = 16;
  static constexpr int kNodes = 66 * 16;  // up to 32 bits
  struct Node {
    double bits, slope;
  };
  std::array<Node, kNodes> nodes_;
};

const BitsTable& bits_table() {
  static const BitsTable table;
  return table;
}

}  // namespace

double relaxed_bits(double k) {
  // Not below the root, where the cubic is convex: Newton falls to it.
  double u = std::sqrt(k) + 0.5;
  for (double before = kInfinity; u < before;) {
    before = u;
    u -= (u * u * u - k * (u + 1)) / (3 * u * u - k);
  }
  return std::log2(u + 1);
}

bool FitRelaxation::recognize(const Problem& problem, const Knapsack& knapsack) {
  shapes_.clear();
  for (int c = 0; c < knapsack.classes(); ++c) {
    if (knapsack.layer[c].activation >= 0) return false;
    const AllocationQuantizer& quantizer = problem.quantizers[knapsack.layer[c].weight];
    const int32_t first = knapsack.first[c];
    const int32_t last = knapsack.first[c + 1] - 1;
    const int smallest = quantizer.bits[knapsack.candidate[first]];
    const int largest = quantizer.bits[knapsack.candidate[last]];
    Shape shape{0, 0, 0, 0, -kInfinity};
    if (first == last) {  // nothing to choose
      shape.lowest = shape.highest = log2_k_at(smallest);
    } else {
      if (largest > kMostBits) return false;
      const double scale = knapsack.cost[first] * steps_at(smallest) * steps_at(smallest);
      if (!(scale > 0)) return false;  // beside huge costs it has vanished
      for (int32_t i = first; i <= last; ++i) {
        const double u = steps_at(quantizer.bits[knapsack.candidate[i]]);
        if (!(std::abs(knapsack.cost[i] * u * u - scale) <= 1e-9 * scale)) return false;
      }
      shape.weight = static_cast<double>(quantizer.weight);
      shape.log2_scale = std::log2(2 * M_LN2 * scale / shape.weight);
      shape.lowest = log2_k_at(smallest);
      shape.highest = log2_k_at(largest);
    }
    shapes_.push_back(shape);
  }
  return true;
}

// log2 of the budget's clearing price; -infinity if its classes fit at any price. Newton's method
// in log2 price, kept inside a bracket; of many classes, a sample gives the first guess.
double FitRelaxation::search(const Knapsack& knapsack, int budget) {
  const BitsTable& table = bits_table();
  const std::span<const int32_t> members = knapsack.members(budget);
  double low = kInfinity;    // everything at its largest
  double high = -kInfinity;  // everything at its smallest
  double weights = 0;
  double smallest = 0;
  for (const int32_t c : members) {
    const Shape& shape = shapes_[c];
    weights += shape.weight;
    smallest += shape.weight * table(shape.lowest).bits;
    if (shape.weight == 0) continue;
    low = std::min(low, shape.log2_scale - shape.highest);
    high = std::max(high, shape.log2_scale - shape.lowest);
  }
  const double target = smallest + static_cast<double>(knapsack.slack[budget]);

  struct Use {
    double load = 0, slope = 0, weights = 0;
  };
  const auto use = [&](double log2_price, size_t stride) {
    Use sum;
    for (size_t i = 0; i < members.size(); i += stride) {
      const Shape& shape = shapes_[members[i]];
      const double wanted = shape.log2_scale - std::max(log2_price, shape.log2_price);
      const double x = std::clamp(wanted, shape.lowest, shape.highest);
      const BitsTable::Value value = table(x);
      sum.load += shape.weight * value.bits;
      sum.slope -= x == wanted ? shape.weight * value.slope : 0;
      sum.weights += shape.weight;
    }
    return sum;
  };
  const auto find = [&](double log2_price, size_t stride, double tolerance) {
    double above = low, below = high;  // prices
    for (int round = 0; round < 200; ++round) {
      const Use sum = use(log2_price, stride);
      const double goal = stride == 1 ? target : target * (sum.weights / weights);
      const double excess = sum.load - goal;
      if (std::abs(excess) <= tolerance * goal) break;
      (excess > 0 ? above : below) = log2_price;
      const double next = log2_price - excess / sum.slope;
      log2_price = next > above && next < below ? next : (above + below) / 2;
    }
    return log2_price;
  };
  // A budget that its classes cannot exceed is not in the knapsack, unless inner ones hold them
  // down.
  const auto& parents = knapsack.parent;
  const bool has_inner = std::find(parents.begin(), parents.end(), budget) != parents.end();
  if (has_inner && use(low, 1).load <= target) return -kInfinity;

  const double middle = log2_k(target / weights);
  double guess = 0;
  for (const int32_t c : members) {
    guess += shapes_[c].weight / weights * (shapes_[c].log2_scale - middle);
  }
  guess = std::clamp(guess, low, high);
  if (members.size() > 1000) guess = find(guess, 16, 1e-4);
  return find(guess, 1, 1e-10);
}

bool FitRelaxation::solve(const Problem& problem, const Knapsack& knapsack) {
  if (!recognize(problem, knapsack)) return false;
  price.clear();
  for (int g = 0; g < knapsack.budgets(); ++g) {
    const double found = search(knapsack, g);
    for (const int32_t c : knapsack.members(g)) {
      shapes_[c].log2_price = std::max(shapes_[c].log2_price, found);
    }
    price.push_back(std::exp2(found));
  }
  for (int g = knapsack.budgets() - 1; g >= 0; --g) {
    if (knapsack.parent[g] >= 0) price[g] = std::max(price[g], price[knapsack.parent[g]]);
  }
  bits.clear();
  for (const Shape& shape : shapes_) {
    const double x = std::clamp(shape.log2_scale - shape.log2_price, shape.lowest, shape.highest);
    bits.push_back(bits_table()(x).bits);
  }
  return true;
}

}  // namespace qbitopt
