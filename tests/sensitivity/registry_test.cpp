// What every registered metric must do, whichever it is.

#include <gtest/gtest.h>

#include <cmath>

#include "qbitopt/sensitivity/sensitivity.h"
#include "sensitivity/small_resnet.h"
#include "sensitivity/tiny_network.h"

namespace qbitopt {
namespace {

using torch::Tensor;

class EverySensitivityTest : public ::testing::TestWithParam<std::string> {
 protected:
  EverySensitivityTest() { register_sensitivities(registry_); }
  std::unique_ptr<Sensitivity> make() const {
    return registry_.make(GetParam(), Parameters(Json{{GetParam() + ".samples", 8},
                                                      {"hessian_trace.vectors", 4},
                                                      {"learned_scale.steps", 3},
                                                      {"hessian_eigenvalue.iterations", 3}}));
  }
  SensitivityRegistry registry_{"sensitivity"};
};

// A training step, as the trainer runs it, then the table.
CostTable after_a_step(Sensitivity& metric, SmallResNet& net, SensitivityContext& context) {
  metric.start(net.quantizers);
  net.network->train();
  const int passes = metric.backward_passes_per_step();
  for (int i = 0; i < passes; ++i) {
    const int64_t part = 16 / passes;
    const Tensor logits = net.network->forward(net.images.slice(0, i * part, (i + 1) * part));
    const Tensor labels = net.labels.slice(0, i * part, (i + 1) * part);
    (torch::cross_entropy_loss(logits, labels) / passes).backward();
  }
  metric.observe_step(net.quantizers, 16);
  if (metric.uses_running_statistics()) net.network->eval();
  return metric.current(context);
}

void expect_costs(const CostTable& table, const SmallResNet& net) {
  ASSERT_EQ(table.costs.size(), net.quantizers.size());
  EXPECT_FALSE(table.unit.empty());
  for (size_t q = 0; q < table.costs.size(); ++q) {
    ASSERT_EQ(table.costs[q].size(), net.quantizers[q]->spec().candidate_bits.size());
    for (const double cost : table.costs[q]) EXPECT_TRUE(std::isfinite(cost));
  }
}

TEST_P(EverySensitivityTest, GivesAFiniteCostForEveryCandidateBeforeAndWhileTraining) {
  SmallResNet net;
  SensitivityContext context = net.context(16);
  const auto metric = make();
  expect_costs(metric->estimate(context), net);
  expect_costs(after_a_step(*metric, net, context), net);
}

TEST_P(EverySensitivityTest, TheSameSeedGivesTheSameTable) {
  SmallResNet net;
  net.network->eval();
  SensitivityContext context = net.context(16);
  EXPECT_EQ(make()->estimate(context).costs, make()->estimate(context).costs);
}

TEST_P(EverySensitivityTest, LeavesTheNetworkAndItsGradientsAsTheyWere) {
  SmallResNet net;
  net.network->eval();
  torch::cross_entropy_loss(net.network->forward(net.images), net.labels).backward();
  std::vector<Tensor> before;
  for (const Tensor& parameter : net.network->parameters()) {
    before.push_back(parameter.detach().clone());
    before.push_back(parameter.grad().clone());
  }
  for (const Tensor& buffer : net.network->buffers()) before.push_back(buffer.clone());
  const Tensor logits = net.network->forward(net.images);

  SensitivityContext context = net.context(16);
  make()->estimate(context);
  std::vector<Tensor> after;
  for (const Tensor& parameter : net.network->parameters()) {
    after.push_back(parameter.detach());
    after.push_back(parameter.grad());
  }
  for (const Tensor& buffer : net.network->buffers()) after.push_back(buffer);
  ASSERT_EQ(after.size(), before.size());
  for (size_t i = 0; i < after.size(); ++i) EXPECT_TRUE(torch::equal(after[i], before[i])) << i;
  EXPECT_TRUE(torch::equal(net.network->forward(net.images), logits));
}

TEST_P(EverySensitivityTest, WideTensorsCostLessThanNarrowOnes) {
  SmallResNet net;
  net.network->eval();
  SensitivityContext context = net.context(16);
  const CostTable table = make()->estimate(context);
  double at_2_bits = 0, at_8_bits = 0;
  for (const auto& row : table.costs) at_2_bits += row.front(), at_8_bits += row.back();
  EXPECT_LT(at_8_bits, at_2_bits / 10);
}

INSTANTIATE_TEST_SUITE_P(, EverySensitivityTest,
                         ::testing::Values("fisher_exact", "fit", "hessian_eigenvalue",
                                           "hessian_trace", "learned_scale", "loss_delta",
                                           "output_fisher", "output_kl", "quant_mse", "random",
                                           "sqnr", "uniform"),
                         [](const auto& info) { return info.param; });

TEST(SensitivityRegistryTest, EveryMetricIsTestedHere) {
  SensitivityRegistry registry("sensitivity");
  register_sensitivities(registry);
  EXPECT_EQ(registry.names(),
            (std::vector<std::string>{"fisher_exact", "fit", "hessian_eigenvalue", "hessian_trace",
                                      "learned_scale", "loss_delta", "output_fisher", "output_kl",
                                      "quant_mse", "random", "sqnr", "uniform"}));
}

}  // namespace
}  // namespace qbitopt
