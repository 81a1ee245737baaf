#include "qbitopt/sensitivity/fit.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "qbitopt/core/error.h"
#include "sensitivity/tiny_network.h"

namespace qbitopt {
namespace {

using torch::Tensor;

// E[ |dL_i / dx_hat|^2 ] at every quantized tensor, one sample at a time, by hooks on the outputs.
std::vector<double> fisher_by_samples(const TinyNetwork& network) {
  std::vector<double> traces(4, 0.0);
  const int64_t samples = network.images.size(0);
  for (int64_t i = 0; i < samples; ++i) {
    const Tensor x = network.images.slice(0, i, i + 1).clone().requires_grad_();
    const Tensor W1 = network.W1.detach().clone().requires_grad_();
    const Tensor W2 = network.W2.detach().clone().requires_grad_();
    const Tensor h = torch::linear(network.input->forward(x), network.weight1->forward(W1));
    h.retain_grad();
    const Tensor logits = torch::linear(network.hidden->forward(h), network.weight2->forward(W2));
    torch::cross_entropy_loss(logits, network.labels.slice(0, i, i + 1)).backward();
    // Masked by the quantizers' straight-through gradient; an exact zero of the ReLU does not
    // count.
    const Tensor gradients[] = {x.grad(), W1.grad(), h.grad(), W2.grad()};
    for (int q = 0; q < 4; ++q) traces[q] += gradients[q].square().sum().item<double>() / samples;
  }
  return traces;
}

double phi(double fisher, double range, double K) { return fisher * range * range / (24 * K * K); }

TEST(FitTest, CostsOfActivationsAreThePerSampleFisherTimesTheNoise) {
  const TinyNetwork network;
  const auto traces = fisher_by_samples(network);
  for (const int64_t batch_size : {8, 32}) {
    SensitivityContext context = network.context(batch_size);
    const CostTable table = Fit().estimate(context);
    for (const int q : {0, 2}) {
      const double range = q == 0 ? 6 : 3;
      for (int i = 0; i < 7; ++i) {
        const double expected = phi(traces[q], range, std::exp2(i + 2) - 1);
        EXPECT_NEAR(table.costs[q][i], expected, 1e-5 * expected)
            << q << " at " << i + 2 << " bits";
      }
    }
  }
}

TEST(FitTest, CostsOfWeightsAreTheTraceWithBatchesOfOneSample) {
  const TinyNetwork network;
  const auto traces = fisher_by_samples(network);
  SensitivityContext context = network.context(1);
  const CostTable table = Fit().estimate(context);
  for (const int q : {1, 3}) {
    const double expected = phi(traces[q], 2, 15);
    EXPECT_NEAR(table.costs[q][2], expected, 1e-5 * expected);
  }
}

// Two samples a step, one a half: h/2 |g1 - g2|^2 + <g1, g2> = (|g1|^2 + |g2|^2) / 2, exactly the
// mean over samples.
TEST(FitTest, SplitWithOneSampleAHalfIsTheTraceOfWeights) {
  const TinyNetwork network;
  const auto traces = fisher_by_samples(network);
  SensitivityContext context = network.context(2);
  Fit fit({.weights = FisherWeights::kSplit});
  EXPECT_EQ(fit.backward_passes_per_step(), 2);
  const CostTable table = fit.estimate(context);
  for (int q = 0; q < 4; ++q) {
    const double range = q == 0 ? 6 : q == 2 ? 3 : 2;
    const double expected = phi(traces[q], range, 15);
    EXPECT_NEAR(table.costs[q][2], expected, 1e-5 * expected) << q;
  }
}

TEST(FitTest, BatchExceedsTheTraceOfWeightsByTheMeanGradient) {
  const TinyNetwork network;
  const auto traces = fisher_by_samples(network);
  SensitivityContext context = network.context(32);
  const CostTable table = Fit().estimate(context);
  torch::cross_entropy_loss(network.forward(network.images), network.labels).backward();
  const double B = 32;
  const Tensor means[] = {Tensor(), network.W1.grad(), Tensor(), network.W2.grad()};
  for (const int q : {1, 3}) {
    const double expected = phi(B * means[q].square().sum().item<double>(), 2, 15);
    EXPECT_NEAR(table.costs[q][2], expected, 1e-5 * expected);
  }
}

TEST(FitTest, EstimateLeavesGradientsAndTheRunningAverageAlone) {
  const TinyNetwork network;
  SensitivityContext context = network.context();
  Fit fit;
  fit.start(network.quantizers);
  torch::cross_entropy_loss(network.forward(network.images), network.labels).backward();
  fit.observe_step(network.quantizers, 32, /*loss_scale=*/1);
  const Tensor gradient = network.W1.grad().clone();
  const CostTable before = fit.current(context);
  fit.estimate(context);
  EXPECT_TRUE(torch::equal(network.W1.grad(), gradient));
  EXPECT_EQ(fit.current(context).costs, before.costs);
}

TEST(FitTest, CurrentAveragesTheTrainingSteps) {
  const TinyNetwork network;
  SensitivityContext context = network.context();
  Fit fit({.decay = 0.5});
  fit.start(network.quantizers);
  double sum = 0, mass = 0;
  for (int step = 0; step < 3; ++step) {
    const TinyNetwork same;
    SensitivityContext one = same.context(8);
    const Tensor images = network.images.slice(0, 8 * step, 8 * step + 8);
    const Tensor labels = network.labels.slice(0, 8 * step, 8 * step + 8);
    one.batches = [=] { return std::vector<std::pair<Tensor, Tensor>>{{images, labels}}; };
    const double alone = Fit().estimate(one).costs[2][0];
    sum = 0.5 * sum + 0.5 * alone;
    mass = 0.5 * mass + 0.5;
    torch::cross_entropy_loss(network.forward(images), labels).backward();
    fit.observe_step(network.quantizers, 8, /*loss_scale=*/1);
    EXPECT_NEAR(fit.current(context).costs[2][0], sum / mass, 1e-6 * sum / mass);
  }
}

TEST(FitTest, CurrentIsOfTheStepsSinceItWasForgotten) {
  const TinyNetwork network;
  SensitivityContext context = network.context();
  const auto observe = [&](Fit& fit, int64_t from) {
    const Tensor logits = network.forward(network.images.slice(0, from, from + 8));
    torch::cross_entropy_loss(logits, network.labels.slice(0, from, from + 8)).backward();
    fit.observe_step(network.quantizers, 8, /*loss_scale=*/1);
  };
  Fit fit({.decay = 0.5});
  fit.start(network.quantizers);
  observe(fit, 8);
  const CostTable second_alone = fit.current(context);
  fit.forget(network.quantizers);
  observe(fit, 0);
  EXPECT_NE(fit.current(context).costs, second_alone.costs);
  fit.forget(network.quantizers);
  observe(fit, 8);
  EXPECT_EQ(fit.current(context).costs, second_alone.costs);
}

// A step in parts, each with its share of the loss, as training.accumulate runs it.
void run_in_parts(const TinyNetwork& network, int parts, double loss_scale = 1) {
  const int64_t size = network.images.size(0) / parts;
  for (int64_t from = 0; from < network.images.size(0); from += size) {
    const Tensor logits = network.forward(network.images.slice(0, from, from + size));
    const Tensor labels = network.labels.slice(0, from, from + size);
    (torch::cross_entropy_loss(logits, labels) / parts * loss_scale).backward();
  }
}

TEST(FitTest, AccumulationDoesNotChangeTheCosts) {
  const TinyNetwork network;
  SensitivityContext context = network.context();
  const CostTable whole = Fit().estimate(context);
  for (const int parts : {2, 4, 8}) {
    Fit fit({.accumulate = parts});
    fit.start(network.quantizers);
    run_in_parts(network, parts, /*loss_scale=*/1024);
    fit.observe_step(network.quantizers, 32, /*loss_scale=*/1024);
    const CostTable accumulated = fit.current(context);
    for (int q = 0; q < 4; ++q) {
      const double expected = whole.costs[q][2];
      EXPECT_NEAR(accumulated.costs[q][2], expected, 1e-5 * expected) << q << " in " << parts;
    }
    for (const auto& quantizer : network.uniform()) quantizer->fisher()->reset();
  }
}

TEST(FitTest, SplitTakesTheAccumulatedPassesForItsParts) {
  const TinyNetwork network;
  const auto traces = fisher_by_samples(network);
  SensitivityContext context = network.context();
  Fit fit({.weights = FisherWeights::kSplit, .accumulate = 32});
  fit.start(network.quantizers);
  run_in_parts(network, 32);
  fit.observe_step(network.quantizers, 32, /*loss_scale=*/1);
  const CostTable table = fit.current(context);
  for (int q = 0; q < 4; ++q) {
    const double expected = phi(traces[q], q == 0 ? 6 : q == 2 ? 3 : 2, 15);
    EXPECT_NEAR(table.costs[q][2], expected, 1e-5 * expected) << q;
  }
}

TEST(FitTest, PerChannelCostsSumChannelByChannel) {
  const TinyNetwork tensor_wise;
  const TinyNetwork channel_wise(4, {.per_channel_weights = true});
  SensitivityContext a = tensor_wise.context(), b = channel_wise.context();
  const double same = Fit().estimate(a).costs[1][0];
  EXPECT_NEAR(Fit().estimate(b).costs[1][0], same, 1e-5 * same) << "equal ranges in all channels";
  {
    torch::NoGradGuard no_grad;
    channel_wise.weight1->range().slice(0, 0, 3).fill_(4);
  }
  EXPECT_GT(Fit().estimate(b).costs[1][0], same);
}

TEST(FitTest, MeasuredNoiseIsTheTensorsOwnError) {
  const TinyNetwork network;
  SensitivityContext context = network.context();
  const CostTable uniform = Fit().estimate(context);
  const CostTable measured = Fit({.noise = FitNoise::kMeasured}).estimate(context);
  const Grid grid = Grid::make(3, true);
  const double delta = 2 / grid.K;
  const Tensor weight = network.W1.detach().reshape({-1});
  const double error = mean_squared_error(weight, 2, grid);
  EXPECT_NEAR(measured.costs[1][1], uniform.costs[1][1] * error / (delta * delta / 12),
              1e-6 * measured.costs[1][1]);
}

TEST(FitTest, OptimalNoiseIsTheLeastErrorOfAnyRange) {
  const TinyNetwork network;
  SensitivityContext context = network.context();
  const CostTable uniform = Fit().estimate(context);
  const CostTable optimal = Fit({.noise = FitNoise::kOptimal}).estimate(context);
  const Tensor weight = network.W1.detach().reshape({-1});
  for (int i = 0; i < 3; ++i) {
    const Grid grid = Grid::make(i + 2, true);
    double least = std::numeric_limits<double>::infinity();
    for (double range = 0.1; range < 5; range += 0.001) {
      least = std::min(least, mean_squared_error(weight, range, grid));
    }
    const double step = 2 / grid.K;
    const double expected = uniform.costs[1][i] * least / (step * step / 12);
    EXPECT_NEAR(optimal.costs[1][i], expected, 1e-2 * expected) << i + 2 << " bits";
  }
}

// A range of 2 at 4 bits is left at 2 * g(b) / g(4) by a change to b bits.
TEST(FitTest, CostsAreThoseOfTheRangeThatAChangeOfBitsLeaves) {
  const TinyNetwork kept;
  const TinyNetwork refitted(4, {.range_at_change = RangeAtChange::kRefit});
  SensitivityContext a = kept.context(), b = refitted.context();
  const CostTable keep = Fit().estimate(a), refit = Fit().estimate(b);
  for (int i = 0; i < 7; ++i) {
    const double ratio =
        gaussian_range(Grid::make(i + 2, true)) / gaussian_range(Grid::make(4, true));
    EXPECT_NEAR(refit.costs[1][i], keep.costs[1][i] * ratio * ratio, 1e-6 * refit.costs[1][i])
        << i + 2 << " bits";
  }
}

TEST(FitTest, AQuantizerThatSawOnlyNonFiniteGradientsIsNamed) {
  const TinyNetwork network;
  SensitivityContext context = network.context();
  const auto forward = context.forward;
  context.forward = [=](const Tensor& x) {
    return forward(x) * std::numeric_limits<float>::infinity();
  };
  try {
    Fit().estimate(context);
    FAIL();
  } catch (const JobError& error) {
    EXPECT_EQ(error.error_class(), "non_finite");
    EXPECT_NE(
        std::string(error.what()).find("no gradient reached quantizer 'fc1.input' that was finite"),
        std::string::npos)
        << error.what();
  }
}

struct OtherQuantizer : Quantizer {
  using Quantizer::Quantizer;
  Tensor forward(const Tensor& x) override { return x; }
  int bits() const override { return 8; }
  void set_bits(int) override {}
  void begin_calibration() override {}
  void end_calibration() override {}
};

TEST(FitTest, AnotherKindOfQuantizerIsRefusedByName) {
  const std::vector<QuantizerPtr> quantizers = {
      std::make_shared<OtherQuantizer>(QuantizerSpec{.name = "gate"})};
  try {
    Fit().start(quantizers);
    FAIL();
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("sensitivity 'fit' needs uniform quantizers"),
              std::string::npos);
    EXPECT_NE(std::string(error.what()).find("'gate' is of another kind"), std::string::npos);
  }
}

TEST(FitOptionsTest, DecayFollowsTauUnlessGiven) {
  EXPECT_DOUBLE_EQ(FitOptions::from(Parameters(Json{{"reallocation.tau", 250}})).decay, 0.99);
  EXPECT_DOUBLE_EQ(FitOptions::from(Parameters(Json{{"reallocation.tau", 40}})).decay, 0.9375);
  EXPECT_DOUBLE_EQ(FitOptions::from(Parameters(Json{{"reallocation.tau", 1}})).decay, 0);
  const auto given = FitOptions::from(Parameters(Json{{"reallocation.tau", 40},
                                                      {"fit.decay", 0.5},
                                                      {"fit.weights", "split"},
                                                      {"fit.noise", "measured"}}));
  EXPECT_DOUBLE_EQ(given.decay, 0.5);
  EXPECT_EQ(given.weights, FisherWeights::kSplit);
  EXPECT_EQ(given.noise, FitNoise::kMeasured);
  EXPECT_THROW(FitOptions::from(Parameters(Json{{"fit.weights", "spilt"}})), InputError);
  EXPECT_THROW(FitOptions::from(Parameters(Json{{"fit.noise", "loud"}})), InputError);
}

}  // namespace
}  // namespace qbitopt
