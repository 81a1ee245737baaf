#include "qbitopt/sensitivity/fisher_exact.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "qbitopt/core/error.h"
#include "qbitopt/models/network.h"
#include "qbitopt/sensitivity/fit.h"
#include "sensitivity/small_resnet.h"
#include "sensitivity/tiny_network.h"

namespace qbitopt {
namespace {

using ::testing::HasSubstr;
using torch::Tensor;

// E[ |dL_i / dx_q|^2 ] by a loop over samples, one image at a time through the network; hooks see
// what arrives at the quantizers of the tiny network.
std::vector<double> traces_by_loop(const TinyNetwork& network, int64_t samples) {
  std::vector<double> traces(4, 0.0);
  for (int64_t i = 0; i < samples; ++i) {
    const Tensor x = network.images.slice(0, i, i + 1).clone().requires_grad_();
    const Tensor W1 = network.W1.detach().clone().requires_grad_();
    const Tensor W2 = network.W2.detach().clone().requires_grad_();
    const Tensor h = torch::linear(network.input->forward(x), network.weight1->forward(W1));
    h.retain_grad();
    const Tensor logits = torch::linear(network.hidden->forward(h), network.weight2->forward(W2));
    torch::cross_entropy_loss(logits, network.labels.slice(0, i, i + 1)).backward();
    const Tensor gradients[] = {x.grad(), W1.grad(), h.grad(), W2.grad()};
    for (int q = 0; q < 4; ++q) {
      traces[q] += gradients[q].square().sum().item<double>() / static_cast<double>(samples);
    }
  }
  return traces;
}

TEST(FisherExactTest, IsTheMeanSquaredGradientOfALoopOverSamples) {
  const TinyNetwork network;
  const double ranges[] = {6, 2, 3, 2};
  for (const int64_t batch_size : {1, 8, 32}) {
    SensitivityContext context = network.context(batch_size);
    for (const int64_t samples : {12, 32}) {
      const auto traces = traces_by_loop(network, samples);
      const CostTable table = FisherExact(samples).estimate(context);
      EXPECT_EQ(table.unit, "nats");
      for (int q = 0; q < 4; ++q) {
        const double expected = traces[q] * ranges[q] * ranges[q] / (24 * 15 * 15);
        EXPECT_NEAR(table.costs[q][2], expected, 1e-5 * expected) << q << ", " << samples;
      }
    }
  }
}

// (1 / B) * sum over i != j of <g_i, g_j> at every weight, the g_i from images passed one by one,
// averaged over batches of B: what B |mean gradient|^2 has beyond the mean of |g_i|^2.
std::vector<double> cross_terms(SmallResNet& net, int64_t B) {
  std::vector<double> terms(net.quantizers.size(), 0.0);
  const int64_t batches = net.images.size(0) / B;
  for (int64_t batch = 0; batch < batches; ++batch) {
    std::vector<Tensor> sums(terms.size());
    for (int64_t i = batch * B; i < (batch + 1) * B; ++i) {
      net.network->zero_grad();
      torch::cross_entropy_loss(net.network->forward(net.images.slice(0, i, i + 1)),
                                net.labels.slice(0, i, i + 1))
          .backward();
      for (size_t q = 0; q < terms.size(); ++q) {
        QuantizerSite& site = *net.network->sites()[q];
        if (site.spec().kind != TensorKind::kWeight) continue;
        const Tensor g = net.weight_of(site).grad().to(torch::kFloat64);
        sums[q] = sums[q].defined() ? sums[q] + g : g.clone();
        terms[q] -= g.square().sum().item<double>() / static_cast<double>(B * batches);
      }
    }
    for (size_t q = 0; q < terms.size(); ++q) {
      if (!sums[q].defined()) continue;
      terms[q] += sums[q].square().sum().item<double>() / static_cast<double>(B * batches);
    }
  }
  net.network->zero_grad();
  return terms;
}

// On the same samples under frozen batch norm, at the start, in the middle and at the end of a
// short training. The term by which `batch` is off for weights is in expectation (B - 1) |E g|^2.
TEST(FisherExactTest, AgreesWithFitUnderFrozenBatchNormUpToTheKnownTermOfWeights) {
  SmallResNet net;
  const int64_t B = 16;
  for (const char* when : {"start", "middle", "end"}) {
    net.network->eval();
    SensitivityContext context = net.context(B);
    const CostTable exact = FisherExact(2 * B).estimate(context);
    const CostTable fit = Fit().estimate(context);
    const std::vector<double> terms = cross_terms(net, B);
    for (size_t q = 0; q < net.quantizers.size(); ++q) {
      const auto& quantizer = *net.uniform[q];
      const double K = quantizer.grid_at(4).K, r = quantizer.range().item<double>();
      const double known = terms[q] * r * r / (24 * K * K);
      EXPECT_NEAR(fit.costs[q][2], exact.costs[q][2] + known, 1e-5 * fit.costs[q][2])
          << quantizer.spec().name << " at the " << when;
      if (quantizer.spec().kind == TensorKind::kActivation) {
        EXPECT_EQ(known, 0);
      }
    }
    net.train(4);
  }
}

// The pairs of half-batches are drawn from 64 samples at random many times over; their mean must
// lie within three standard errors of the trace of all samples.
TEST(FisherExactTest, FitsSplitIsUnbiasedForWeights) {
  SmallResNet net(/*images=*/64);
  torch::manual_seed(5);
  for (const char* when : {"start", "middle", "end"}) {
    net.network->eval();
    SensitivityContext all = net.context(64);
    const CostTable exact = FisherExact(64).estimate(all);
    const int rounds = 96;  // few draws of a skewed distribution would not be normal enough
    std::vector<double> sums(net.quantizers.size(), 0.0), squares(sums);
    for (int round = 0; round < rounds; ++round) {
      const Tensor drawn = torch::randint(64, {16});  // with replacement: independent samples
      SensitivityContext context = net.context(64);
      context.batches = [&] {
        return std::vector<std::pair<Tensor, Tensor>>{
            {net.images.index_select(0, drawn), net.labels.index_select(0, drawn)}};
      };
      // Unclipped: fit_cost() takes a negative trace as 0, so read the traces themselves.
      Fit split({.decay = 0, .weights = FisherWeights::kSplit});
      split.start(net.quantizers);
      net.network->zero_grad();  // to none, as a step of training begins
      for (const int64_t from : {0, 8}) {
        const auto [images, labels] = context.batches()[0];
        const Tensor loss = torch::cross_entropy_loss(
            net.network->forward(images.slice(0, from, from + 8)), labels.slice(0, from, from + 8));
        (loss / 2).backward();
      }
      split.observe_step(net.quantizers, 16, 1);
      for (size_t q = 0; q < sums.size(); ++q) {
        const double trace = net.uniform[q]->fisher()->trace()[0];
        sums[q] += trace, squares[q] += trace * trace;
      }
    }
    int beyond = 0, weights = 0;
    for (size_t q = 0; q < sums.size(); ++q) {
      if (net.quantizers[q]->spec().kind != TensorKind::kWeight) continue;
      const double mean = sums[q] / rounds;
      const double error = std::sqrt((squares[q] / rounds - mean * mean) / (rounds - 1));
      const double K = net.uniform[q]->grid_at(4).K, r = net.uniform[q]->range().item<double>();
      const double trace = exact.costs[q][2] * 24 * K * K / (r * r);
      ++weights;
      beyond += std::abs(mean - trace) > 3 * error;
    }
    EXPECT_EQ(beyond, 0) << "of " << weights << " weights at the " << when;
    for (const auto& quantizer : net.uniform) quantizer->track_fisher(false);
    net.train(4);
  }
}

TEST(FisherExactTest, GradientsOfASampleAreRightWhereBatchNormCouplesThem) {
  SmallResNet net;
  net.network->train();
  SensitivityContext context = net.context(8);
  const CostTable table = FisherExact(8).estimate(context);
  // Of the last layer's weight, by hand: it comes after all batch norms.
  double trace = 0;
  QuantizerSite& last = *net.network->sites().back();
  for (int64_t i = 0; i < 8; ++i) {
    net.network->zero_grad();
    const Tensor logits = net.network->forward(net.images.slice(0, 0, 8));
    torch::cross_entropy_loss(logits.slice(0, i, i + 1), net.labels.slice(0, i, i + 1)).backward();
    trace += net.weight_of(last).grad().square().sum().item<double>() / 8;
  }
  const double K = net.uniform.back()->grid_at(4).K, r = net.uniform.back()->range().item<double>();
  EXPECT_NEAR(table.costs.back()[2], trace * r * r / (24 * K * K), 1e-5 * table.costs.back()[2]);
}

TEST(FisherExactTest, LeavesGradientsAndFitsAverageAlone) {
  const TinyNetwork network;
  SensitivityContext context = network.context();
  Fit fit;
  fit.start(network.quantizers);
  torch::cross_entropy_loss(network.forward(network.images), network.labels).backward();
  fit.observe_step(network.quantizers, 32, /*loss_scale=*/1);
  const Tensor gradient = network.W1.grad().clone();
  const CostTable before = fit.current(context);
  FisherExact(32).estimate(context);
  EXPECT_TRUE(torch::equal(network.W1.grad(), gradient));
  EXPECT_EQ(fit.current(context).costs, before.costs);
}

TEST(FisherExactTest, SamplesWithNonFiniteGradientsAreLeftOutAndCounted) {
  const TinyNetwork network;
  SensitivityContext context = network.context(1);
  const auto forward = context.forward;
  int calls = 0, first_spoiled = 30;
  context.forward = [&](const Tensor& x) {
    const bool is_spoiled = calls++ % 32 >= first_spoiled;
    return forward(x) * (is_spoiled ? std::numeric_limits<float>::infinity() : 1.0f);
  };
  const CostTable table = FisherExact(32).estimate(context);
  EXPECT_EQ(table.note, "8 of 128 gradients of a sample were not finite and left out");
  EXPECT_TRUE(std::isfinite(table.costs[1][0]));
  first_spoiled = 0;
  try {
    FisherExact(32).estimate(context);
    FAIL();
  } catch (const JobError& error) {
    EXPECT_EQ(error.error_class(), "non_finite");
    EXPECT_THAT(error.what(), HasSubstr("sensitivity 'fisher_exact': none of 32 values measured "
                                        "for quantizer 'fc"));
  }
}

}  // namespace
}  // namespace qbitopt
