#include "qbitopt/allocation/knapsack/knapsack.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>

#include "qbitopt/core/error.h"

namespace qbitopt {
namespace {

constexpr int32_t kPairStride = 64;  // more than the candidates of any quantizer

// Adds a choice to the class under construction, unless a smaller one costs no more.
void add_choice(Knapsack& k, int64_t load, double cost, int32_t candidate) {
  const bool is_first = k.load.size() == static_cast<size_t>(k.first.back());
  if (!is_first && cost >= k.cost.back()) return;
  if (!is_first && load == k.load.back()) {
    k.cost.back() = cost;
    k.candidate.back() = candidate;
    return;
  }
  k.load.push_back(load);
  k.cost.push_back(cost);
  k.candidate.push_back(candidate);
}

void end_class(Knapsack& k, Knapsack::Layer layer) {
  k.first.push_back(static_cast<int32_t>(k.load.size()));
  k.layer.push_back(layer);
  k.leaf.push_back(-1);
}

// Writes a class of one quantizer from choice `end` on, where there is room for all its candidates.
// Returns the new end.
size_t put_quantizer(Knapsack& k, size_t end, const AllocationQuantizer& quantizer) {
  int64_t* load = k.load.data();
  double* cost = k.cost.data();
  const size_t begin = end;
  int smallest = -1;
  for (size_t i = 0; i < quantizer.bits.size(); ++i) {
    const double own = quantizer.costs[i];
    if (std::isinf(own) || (end > begin && own >= cost[end - 1])) continue;
    if (smallest < 0) smallest = quantizer.bits[i];
    const int64_t own_load = quantizer.weight * (quantizer.bits[i] - smallest);
    end -= end > begin && own_load == load[end - 1];  // of no weight: the cheaper one replaces it
    load[end] = own_load;
    cost[end] = own;
    k.candidate[end] = static_cast<int32_t>(i);
    ++end;
  }
  return end;
}

// A class for each quantizer that is in no pair yet; `class_of` says which class it became.
void add_quantizers(Knapsack& k, const std::vector<AllocationQuantizer>& quantizers,
                    std::vector<int32_t>& class_of) {
  size_t end = k.first.back();
  size_t most = end;
  for (const AllocationQuantizer& quantizer : quantizers) most += quantizer.bits.size();
  k.load.resize(most), k.cost.resize(most), k.candidate.resize(most);
  for (size_t q = 0; q < quantizers.size(); ++q) {
    if (!class_of.empty() && class_of[q] < 0) continue;
    if (!class_of.empty()) class_of[q] = static_cast<int32_t>(k.layer.size());
    end = put_quantizer(k, end, quantizers[q]);
    k.first.push_back(static_cast<int32_t>(end));
    k.layer.push_back({static_cast<int32_t>(q), -1});
  }
  k.leaf.resize(k.layer.size(), -1);
  k.load.resize(end), k.cost.resize(end), k.candidate.resize(end);
}

void add_pair(Knapsack& k, const Problem& problem, const BopsBudget::Pair& pair) {
  struct Choice {
    int64_t load;
    double cost;
    int32_t candidate;
  };
  const AllocationQuantizer& weight = problem.quantizers[pair.weight];
  const AllocationQuantizer& activation = problem.quantizers[pair.activation];
  std::vector<Choice> choices;
  for (size_t i = 0; i < weight.bits.size(); ++i) {
    for (size_t j = 0; j < activation.bits.size(); ++j) {
      const double cost = weight.costs[i] + activation.costs[j];
      if (std::isinf(cost)) continue;
      choices.push_back({pair.macs * weight.bits[i] * activation.bits[j], cost,
                         static_cast<int32_t>(i) * kPairStride + static_cast<int32_t>(j)});
    }
  }
  std::sort(choices.begin(), choices.end(), [](const Choice& a, const Choice& b) {
    return std::tuple(a.load, a.cost, a.candidate) < std::tuple(b.load, b.cost, b.candidate);
  });
  for (const Choice& choice : choices) {
    add_choice(k, choice.load - choices.front().load, choice.cost, choice.candidate);
  }
  end_class(k, {pair.weight, pair.activation});
}

// Where costs lie beyond 2^600 or below 2^-600 the largest becomes about 2^600: no product with a
// load overflows then, and small ones have all the room there is below.
void scale_costs(Knapsack& k) {
  double largest = 0, smallest = kInfinity;
  for (const double cost : k.cost) {
    largest = std::max(largest, std::abs(cost));
    if (cost != 0) smallest = std::min(smallest, std::abs(cost));
  }
  k.cost_exponent = 0;
  if (largest == 0 || (std::ilogb(largest) < 600 && std::ilogb(smallest) > -600)) return;
  k.cost_exponent = std::ilogb(largest) - 600;
  for (double& cost : k.cost) cost = std::ldexp(cost, -k.cost_exponent);
}

int64_t largest_load(const Knapsack& k, int c) { return k.load[k.first[c + 1] - 1]; }

// Budgets before they are in the forest: classes and slack.
struct Row {
  const std::string* name;
  std::vector<int32_t> classes;
  int64_t slack;
};

// Hangs the rows into the forest, smaller ones first. A row that cannot bind given those inside it
// is dropped.
// Returns why they do not form one, if so.
std::string plant(Knapsack& k, std::vector<Row>& rows) {
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
    return std::pair(a.classes.size(), a.slack) < std::pair(b.classes.size(), b.slack);
  });
  std::vector<int32_t> outermost(k.leaf.size(), -1);
  std::vector<const std::string*> names;
  std::vector<size_t> touched;
  for (const Row& row : rows) {
    const int budget = k.budgets();
    touched.assign(budget, 0);
    __int128 reach = 0;  // the most that can be used here
    for (const int32_t c : row.classes) {
      const int32_t inside = outermost[c];
      if (inside < 0) {
        reach += largest_load(k, c);
      } else if (touched[inside]++ == 0) {
        reach += k.slack[inside];
      }
    }
    for (int inside = 0; inside < budget; ++inside) {
      if (touched[inside] != 0 && touched[inside] != k.members(inside).size()) {
        return "budgets '" + *names[inside] + "' and '" + *row.name +
               "' share some quantizers, and neither holds all of the other's";
      }
    }
    if (reach <= row.slack) continue;
    for (int inside = 0; inside < budget; ++inside) {
      if (touched[inside] != 0) k.parent[inside] = budget;
    }
    for (const int32_t c : row.classes) {
      if (outermost[c] < 0) k.leaf[c] = budget;
      outermost[c] = budget;
    }
    k.member.insert(k.member.end(), row.classes.begin(), row.classes.end());
    k.member_first.push_back(static_cast<int32_t>(k.member.size()));
    k.parent.push_back(-1);
    k.slack.push_back(row.slack);
    names.push_back(row.name);
  }
  return "";
}

int64_t smallest_bits(const AllocationQuantizer& quantizer) {
  size_t i = 0;
  while (std::isinf(quantizer.costs[i])) ++i;
  return quantizer.bits[i];
}

}  // namespace

std::string Knapsack::build(const Problem& problem) {
  const size_t quantizers = problem.quantizers.size();
  for (auto* array : {&first, &leaf, &parent, &member_first, &member}) array->clear();
  slack.clear(), layer.clear();
  first.push_back(0);
  member_first.push_back(0);

  std::vector<Row> rows;
  std::vector<int32_t> class_of;  // with pairs: -1 where a quantizer is part of one
  if (!problem.bops.empty()) {
    load.clear(), cost.clear(), candidate.clear();
    class_of.assign(quantizers, 0);
    for (const BopsBudget& budget : problem.bops) {
      Row row{&budget.name, {}, budget.limit};
      for (const BopsBudget::Pair& pair : budget.pairs) {
        if (pair.weight == pair.activation || class_of[pair.weight] < 0 ||
            class_of[pair.activation] < 0) {
          return "a quantizer is part of two layers of budget '" + budget.name + "'";
        }
        class_of[pair.weight] = class_of[pair.activation] = -1;
        row.slack -= pair.macs * smallest_bits(problem.quantizers[pair.weight]) *
                     smallest_bits(problem.quantizers[pair.activation]);
        row.classes.push_back(static_cast<int32_t>(layer.size()));
        add_pair(*this, problem, pair);
      }
      rows.push_back(std::move(row));
    }
  }
  add_quantizers(*this, problem.quantizers, class_of);
  scale_costs(*this);

  for (const Budget& budget : problem.budgets) {
    Row row{&budget.name, budget.members, capacity(budget, problem)};
    for (int32_t& member : row.classes) {
      row.slack -= problem.quantizers[member].weight * smallest_bits(problem.quantizers[member]);
      if (!class_of.empty()) member = class_of[member];
      if (member < 0) {
        return "budgets '" + budget.name + "' and '" + problem.bops.front().name +
               "' share quantizers";
      }
    }
    rows.push_back(std::move(row));
  }
  return plant(*this, rows);
}

void Knapsack::require(const Problem& problem, const std::string& solver) {
  const std::string why = build(problem);
  if (!why.empty()) throw InputError(why + ": solver '" + solver + "' cannot take that; use milp");
}

Knapsack::Layer Knapsack::choice(int c, int32_t j) const {
  if (layer[c].activation < 0) return {candidate[j], -1};
  return {candidate[j] / kPairStride, candidate[j] % kPairStride};
}

std::vector<int> Knapsack::candidates(const Problem& problem,
                                      std::span<const int32_t> picked) const {
  std::vector<int> chosen(problem.quantizers.size());
  for (int c = 0; c < classes(); ++c) {
    const auto [weight, activation] = choice(c, picked[c]);
    chosen[layer[c].weight] = weight;
    if (activation >= 0) chosen[layer[c].activation] = activation;
  }
  return chosen;
}

}  // namespace qbitopt
