// What hawq_v2 is made of: the sensitivity `hessian_trace` and the solver `milp`. That the plugin
// puts them together is tested on a whole run, in tests/training.
#include <gtest/gtest.h>

#include <cmath>

#include "allocation/instances.h"
#include "baselines/numeric.h"
#include "qbitopt/allocation/highs.h"
#include "qbitopt/allocation/solver.h"
#include "qbitopt/methods/budget_problem.h"
#include "qbitopt/sensitivity/hessian_trace.h"

namespace qbitopt {
namespace {

using torch::Tensor;

const std::vector<int> kHawqCandidates = {2, 3, 4, 6, 8};

// Tensors whose Hessian traces are chosen by hand. Image q, row q of the unit matrix, has the
// logits (c_q w_q[0], 0) and tells of tensor q alone. With w_q[0] near 0 (an exact 0 would not be
// counted, since rounding cannot move it) both classes have probability 1/2, and of n images
//
//   Tr H_q = d2/dw_q[0]^2 of the mean cross-entropy = c_q^2 / (4 n),  all other entries of H: 0
//
// so that random signs give the trace exactly.
struct HandMadeTraces {
  std::vector<double> traces;
  std::vector<Tensor> tensors;
  std::vector<QuantizerPtr> quantizers;

  HandMadeTraces(const std::vector<double>& given, const std::vector<int64_t>& elements)
      : traces(given) {
    for (size_t q = 0; q < traces.size(); ++q) {
      Tensor w = gaussian({elements[q]}) * (1 + static_cast<double>(q));
      w[0] = 1e-6;
      tensors.push_back(w.requires_grad_());
      const QuantizerSpec spec{.name = "w" + std::to_string(q),
                               .candidate_bits = kHawqCandidates,
                               .elements = elements[q]};
      quantizers.push_back(std::make_shared<UniformQuantizer>(
          spec, UniformQuantizerOptions{.range_init = RangeInit::kMinMax}));
    }
  }

  SensitivityContext context() const {
    const auto n = static_cast<int64_t>(tensors.size());
    return {.quantizers = quantizers,
            .forward =
                [this, n](const Tensor& images) {
                  std::vector<Tensor> logits;
                  for (int64_t q = 0; q < n; ++q) {
                    const auto i = static_cast<size_t>(q);
                    const double c = std::sqrt(4 * static_cast<double>(n) * traces[i]);
                    logits.push_back(quantizers[i]->forward(tensors[i])[0] * c);
                  }
                  const Tensor first = images.matmul(torch::stack(logits));
                  return torch::stack({first, torch::zeros_like(first)}, 1);
                },
            .batches =
                [n] {
                  return std::vector<std::pair<Tensor, Tensor>>{
                      {torch::eye(n), torch::zeros({n}, torch::kInt64)}};
                }};
  }

  // Tr / 2 * mean of (Q_b(w) - w)^2, where the ends of the grid just cover w.
  double cost(size_t q, int bits) const {
    const Grid grid = Grid::make(bits, /*is_signed=*/true);
    const Tensor w = tensors[q].detach().to(torch::kFloat64);
    const double step =
        grid.step(grid.covering_range(w.min().item<double>(), w.max().item<double>()));
    const Tensor rounded = (w / step).round().clamp(grid.n, grid.p) * step;
    return traces[q] / 2 * (rounded - w).square().mean().item<double>();
  }
};

// Traces over four decades, the smallest tensor the most sensitive.
HandMadeTraces small_instance() { return {{0.02, 40, 3, 0.5, 7}, {400, 30, 150, 220, 90}}; }

CostTable hand_made_costs(const HandMadeTraces& instance) {
  SensitivityContext context = instance.context();
  return HessianTrace({.samples = 0}).estimate(context);
}

TEST(HawqV2Test, CostsAreHandMadeTracesTimesThePerturbation) {
  const HandMadeTraces instance = small_instance();
  const CostTable table = hand_made_costs(instance);
  ASSERT_EQ(table.costs.size(), 5u);
  EXPECT_EQ(table.unit, "nats");
  for (size_t q = 0; q < 5; ++q) {
    ASSERT_EQ(table.costs[q].size(), kHawqCandidates.size());
    for (size_t i = 0; i < kHawqCandidates.size(); ++i) {
      const double expected = instance.cost(q, kHawqCandidates[i]);
      EXPECT_NEAR(table.costs[q][i], expected, 1e-4 * expected)
          << q << " at " << kHawqCandidates[i];
    }
  }
}

TEST(HawqV2Test, TheProgramFindsTheCheapestBitsWithinTheBudget) {
  if (!Highs::why_missing().empty()) GTEST_SKIP() << Highs::why_missing();
  const HandMadeTraces instance = small_instance();
  const CostTable table = hand_made_costs(instance);
  std::vector<QuantizerSpec> specs;
  for (const QuantizerPtr& quantizer : instance.quantizers) specs.push_back(quantizer->spec());
  SolverRegistry solvers("solver");
  register_solvers(solvers);
  const auto milp = solvers.make("milp", Parameters());
  for (const double average : {2.0, 2.3, 3.0, 3.7, 5.0, 8.0}) {
    Problem problem = budget_problem(specs, Parameters(Json{{"budget.weights", average}}));
    for (size_t q = 0; q < specs.size(); ++q) problem.quantizers[q].costs = table.costs[q];
    const Solution solution = milp->solve(problem);
    EXPECT_EQ(solution.status, SolutionStatus::kOptimal) << average;
    EXPECT_NEAR(solution.objective, test::brute_force(problem), 1e-9 * solution.objective)
        << average;
    double used = 0;  // of 890 elements
    for (size_t q = 0; q < specs.size(); ++q) {
      used += static_cast<double>(specs[q].elements) * solution.bits[q];
    }
    EXPECT_LE(used, average * 890) << average;
  }
}

}  // namespace
}  // namespace qbitopt
