#include "qbitopt/sensitivity/output_fisher.h"

#include <gtest/gtest.h>

#include "qbitopt/sensitivity/fit.h"
#include "sensitivity/small_resnet.h"
#include "sensitivity/tiny_network.h"

namespace qbitopt {
namespace {

using torch::Tensor;

// mean_i sum_y p_i(y) |d log p_i(y) / dx_q|^2, one image and one label at a time.
std::vector<double> traces_by_enumeration(const TinyNetwork& network, int64_t samples) {
  std::vector<double> traces(4, 0.0);
  for (int64_t i = 0; i < samples; ++i) {
    for (int64_t y = 0;; ++y) {
      const Tensor x = network.images.slice(0, i, i + 1).clone().requires_grad_();
      const Tensor W1 = network.W1.detach().clone().requires_grad_();
      const Tensor W2 = network.W2.detach().clone().requires_grad_();
      const Tensor h = torch::linear(network.input->forward(x), network.weight1->forward(W1));
      h.retain_grad();
      const Tensor logits = torch::linear(network.hidden->forward(h), network.weight2->forward(W2));
      if (y == logits.size(1)) break;
      const double p = logits.softmax(1)[0][y].item<double>();
      torch::cross_entropy_loss(logits, torch::full({1}, y, torch::kInt64)).backward();
      const Tensor gradients[] = {x.grad(), W1.grad(), h.grad(), W2.grad()};
      for (int q = 0; q < 4; ++q)
        traces[q] += p * gradients[q].square().sum().item<double>() / static_cast<double>(samples);
    }
  }
  return traces;
}

TEST(OutputFisherTest, ApproachesTheExpectationOverTheNetworksOwnLabels) {
  const TinyNetwork network;
  const double ranges[] = {6, 2, 3, 2};
  SensitivityContext context = network.context(8);
  const auto traces = traces_by_enumeration(network, 32);
  const CostTable table = OutputFisher(32, /*draws=*/300).estimate(context);
  EXPECT_EQ(table.unit, "nats");
  for (int q = 0; q < 4; ++q) {
    const double expected = traces[q] * ranges[q] * ranges[q] / (24 * 15 * 15);
    EXPECT_NEAR(table.costs[q][2], expected, 0.1 * expected) << q;
  }
}

TEST(OutputFisherTest, DoesNotLookAtTheLabels) {
  const TinyNetwork network;
  SensitivityContext context = network.context(8);
  const CostTable table = OutputFisher(32).estimate(context);
  const auto batches = context.batches;
  context.batches = [&] {
    auto others = batches();
    for (auto& batch : others) batch.second = torch::zeros_like(batch.second);
    return others;
  };
  EXPECT_EQ(OutputFisher(32).estimate(context).costs, table.costs);
}

TEST(OutputFisherTest, AnotherSeedDrawsOtherLabelsAndTheSameSeedTheSame) {
  const TinyNetwork network;
  SensitivityContext context = network.context(8);
  const CostTable table = OutputFisher(32).estimate(context);
  EXPECT_EQ(OutputFisher(32).estimate(context).costs, table.costs);
  context.seed += 1;
  EXPECT_NE(OutputFisher(32).estimate(context).costs, table.costs);
}

TEST(OutputFisherTest, LeavesGradientsAndFitsAverageAlone) {
  const TinyNetwork network;
  SensitivityContext context = network.context();
  Fit fit;
  fit.start(network.quantizers);
  torch::cross_entropy_loss(network.forward(network.images), network.labels).backward();
  fit.observe_step(network.quantizers, 32, /*loss_scale=*/1);
  const Tensor gradient = network.W1.grad().clone();
  const CostTable before = fit.current(context);
  OutputFisher(32).estimate(context);
  EXPECT_TRUE(torch::equal(network.W1.grad(), gradient));
  EXPECT_EQ(fit.current(context).costs, before.costs);
}

}  // namespace
}  // namespace qbitopt
