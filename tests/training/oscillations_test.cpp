#include "qbitopt/training/oscillations.h"

#include <gmock/gmock.h>

#include <sstream>

#include "qbitopt/graph/activations.h"
#include "qbitopt/graph/builder.h"
#include "qbitopt/models/graph_network.h"
#include "qbitopt/training/learning_rate.h"
#include "training/lab.h"

namespace qbitopt {
namespace {

using ::testing::Contains;
using ::testing::Gt;
using ::testing::Key;
using ::testing::Not;

Graph three_linear_layers(int64_t inputs) {
  GraphBuilder graph(/*image_channels=*/inputs);
  ValueRef x = graph.linear("first", graph.mean(graph.images()), inputs);
  x = graph.linear("middle", x, 1);
  return graph.finish(graph.linear("last", x, 2));
}

// Three linear layers; the middle one has a weight of one row, 3 bits and the integers -4 .. 3.
class TinyNetwork : public GraphNetwork {
 public:
  explicit TinyNetwork(int64_t inputs) : TinyNetwork(three_linear_layers(inputs)) {}

  void set_step(double s) {
    const torch::NoGradGuard no_grad;
    quantizer->range().fill_(s * quantizer->grid().K);
  }
  void set(const std::vector<double>& weights) {
    const torch::NoGradGuard no_grad;
    middle.latent.copy_(torch::tensor(weights).unsqueeze(0));
  }
  std::vector<double> weights() const {
    const torch::Tensor w = middle.latent.detach().to(torch::kFloat64).contiguous();
    return {w.data_ptr<double>(), w.data_ptr<double>() + w.numel()};
  }

  LayerSites middle;
  std::shared_ptr<UniformQuantizer> quantizer;

 private:
  explicit TinyNetwork(const Graph& graph)
      : GraphNetwork(quantize(graph), initial_values(graph, {}, /*seed=*/0), "the network",
                     {.classes = 2}),
        middle(layer_sites()[1]),
        quantizer(std::make_shared<UniformQuantizer>(middle.weight->spec())) {
    middle.weight->attach(quantizer);
    quantizer->set_bits(3);
    set_step(1);
  }
};

constexpr int64_t kTotalSteps = 100;

// Weights as the optimizer left them after each step, one list a step.
void walk(TinyNetwork& network, Oscillations& oscillations,
          const std::vector<std::vector<double>>& steps) {
  int64_t done = 0;
  for (const auto& weights : steps) {
    network.set(weights);
    oscillations.after_step(++done);
  }
}

TEST(OscillationsTest, AWeightThatTurnsBackOscillatesAndOneThatGoesOnDoesNot) {
  TinyNetwork network(4);
  Oscillations oscillations({.track = true}, network, kTotalSteps);
  // There and back; on and on; there, a rest, and back; never.
  walk(network, oscillations, {{0.4, 0.4, 0.4, 0.1}, {0.6, 1.1, 0.6, 0.2}});
  EXPECT_EQ(oscillations.metrics().at("oscillating_weights"), 0);
  walk(network, oscillations, {{0.4, 1.9, 0.6, 0.3}});
  EXPECT_EQ(oscillations.metrics().at("oscillating_weights"), 25);
  walk(network, oscillations, {{0.4, 2.9, 0.4, 0.4}});
  EXPECT_EQ(oscillations.metrics().at("oscillating_weights"), 50);
  EXPECT_THAT(oscillations.metrics(), Not(Contains(Key("frozen_weights"))));
  EXPECT_EQ(network.weights()[0], 0.4F);  // watched, not touched
}

// With momentum 0.6: 2, then 3: e = 2.6; back at 2 f = 0.6, and the weight is frozen at 3.
TEST(OscillationsTest, AWeightAboveTheThresholdIsFrozenAtItsAverageIntegerAndFollowsTheRange) {
  TinyNetwork network(2);
  Oscillations oscillations(
      {.freeze_threshold = 0.5, .freeze_threshold_start = 0.5, .momentum = 0.6}, network,
      kTotalSteps);
  walk(network, oscillations, {{1.9, 0}, {2.8, 0}, {1.8, 0.25}});
  EXPECT_EQ(network.weights(), (std::vector<double>{3, 0.25}));
  EXPECT_EQ(oscillations.metrics().at("frozen_weights"), 50);
  EXPECT_EQ(oscillations.metrics().at("oscillating_weights"), 0);
  walk(network, oscillations, {{-1, 0.25}});
  EXPECT_EQ(network.weights()[0], 3);
  network.set_step(0.5);
  walk(network, oscillations, {{-1, 0.25}});
  EXPECT_EQ(network.weights()[0], 1.5);
}

TEST(OscillationsTest, TheThresholdFallsByHalfACosine) {
  EXPECT_DOUBLE_EQ(cosine_between(0.1, 0.01, 0, 100), 0.1);
  EXPECT_DOUBLE_EQ(cosine_between(0.1, 0.01, 50, 100), 0.055);
  EXPECT_DOUBLE_EQ(cosine_between(0.1, 0.01, 100, 100), 0.01);
  const auto frozen_after = [](int64_t step) {
    TinyNetwork network(1);
    Oscillations oscillations(
        {.freeze_threshold = 0.2, .freeze_threshold_start = 0.8, .momentum = 0.6}, network,
        kTotalSteps);
    for (const double weight : {0.4, 0.6}) {
      network.set({weight});
      oscillations.after_step(step);
    }
    network.set({0.4});
    oscillations.after_step(step);
    return oscillations.metrics().at("frozen_weights");
  };
  // A frequency of 0.6 against 0.2 + 0.3 (1 + cos(0.3 pi)) = 0.676 and, at 0.4, 0.593.
  EXPECT_EQ(frozen_after(30), 0);
  EXPECT_EQ(frozen_after(40), 100);
}

TEST(OscillationsTest, AChangeOfBitsStartsItsTensorAnew) {
  TinyNetwork network(1);
  Oscillations oscillations(
      {.freeze_threshold = 0.5, .freeze_threshold_start = 0.5, .momentum = 0.6}, network,
      kTotalSteps);
  walk(network, oscillations, {{0.4}, {0.6}, {0.4}});
  ASSERT_EQ(oscillations.metrics().at("frozen_weights"), 100);
  network.quantizer->set_bits(4);
  walk(network, oscillations, {{2}});
  EXPECT_EQ(oscillations.metrics().at("frozen_weights"), 0);
  EXPECT_EQ(network.weights()[0], 2);
  network.quantizer->set_bits(5);  // more than max_bits
  walk(network, oscillations, {{2}});
  EXPECT_TRUE(oscillations.metrics().empty());
}

TEST(OscillationsTest, DampeningPullsLatentWeightsToTheirGridPointsAndNothingElse) {
  TinyNetwork network(3);
  Oscillations oscillations({.dampening = 0.1, .dampening_start = 0}, network, /*total_steps=*/3);
  network.set({0.4, -1.75, 9});
  EXPECT_FALSE(oscillations.dampening_loss(0).defined());  // its weight is 0 yet
  const torch::Tensor half = oscillations.dampening_loss(1), full = oscillations.dampening_loss(2);
  // 0.4 to 0, -1.75 to -2; 9 is cut off at 3, which is on the grid.
  EXPECT_NEAR(full.item<double>(), 0.1 * (0.16 + 0.0625), 1e-6);
  EXPECT_NEAR(half.item<double>(), 0.05 * (0.16 + 0.0625), 1e-6);
  full.backward();
  const torch::Tensor expected = 0.1 * 2 * torch::tensor({{0.4, 0.25, 0.0}});
  EXPECT_TRUE(torch::allclose(network.middle.latent.grad(), expected.to(torch::kFloat32)));
  EXPECT_FALSE(network.quantizer->range().grad().defined());
}

TEST(OscillationsTest, ARangeLearnsFromAFrozenWeightAsFromAConstantInteger) {
  TinyNetwork network(2);
  Oscillations oscillations(
      {.freeze_threshold = 0.5, .freeze_threshold_start = 0.5, .momentum = 0.6}, network,
      kTotalSteps);
  network.set_step(0.7);
  walk(network, oscillations, {{1.26, 0.2}, {1.96, 0.2}, {1.26, 0.2}});  // integers 2, 3, 2
  const torch::Tensor upstream = torch::tensor({{5.0F, 7.0F}});
  ((*network.quantizer).forward(network.middle.latent) * upstream).sum().backward();
  oscillations.before_optimizer_step();
  // The first is s * 3, the second at v = 0.2 / 0.7 has round(v) - v.
  const double expected = (5 * 3 + 7 * (0 - 0.2 / 0.7)) / 7;
  EXPECT_NEAR(network.quantizer->range().grad().item<double>(), expected, 1e-5);
}

TEST(OscillationsTest, GoesOnFromWhatItSaved) {
  const OscillationOptions options{
      .freeze_threshold = 0.3, .freeze_threshold_start = 0.3, .momentum = 0.4};
  const std::vector<std::vector<double>> first = {{1.9, 0.4}, {2.8, 0.6}, {1.8, 0.4}};
  const std::vector<std::vector<double>> second = {{2.7, 0.6}, {1.8, 0.4}};
  TinyNetwork network(2), other(2);
  Oscillations whole(options, network, kTotalSteps), before(options, other, kTotalSteps);
  walk(network, whole, first);
  walk(other, before, first);
  torch::serialize::OutputArchive out;
  before.save(out);
  std::stringstream bytes;
  out.save_to(bytes);
  torch::serialize::InputArchive in;
  in.load_from(bytes);
  Oscillations after(options, other, kTotalSteps);
  after.load(in);
  walk(network, whole, second);
  walk(other, after, second);
  EXPECT_EQ(other.weights(), network.weights());
  EXPECT_EQ(after.metrics(), whole.metrics());
}

// In whole runs.
Lab& oscillation_lab() {
  static Lab lab;
  return lab;
}

std::vector<std::pair<int64_t, std::map<std::string, double>>> curve_of(const Recorder& told) {
  std::vector<std::pair<int64_t, std::map<std::string, double>>> points;
  for (const Metrics& metrics : told.all<Metrics>())
    points.emplace_back(metrics.step, metrics.values);
  return points;
}

std::string job_with(const std::string& method, const std::string& more) {
  return "{method: " + method + ", budget.average_bits: 3, training: {steps: 30, learning_rate: " +
         "0.1}, reallocation.tau: 7" + (more.empty() ? "" : ", " + more) + "}";
}

constexpr const char* kFreezing =
    "oscillations: {freeze_threshold: 0.05, freeze_threshold_start: 0.2, momentum: 0.1, dampening: "
    "0.01}";

class OscillationsIn : public ::testing::TestWithParam<std::string> {};

TEST_P(OscillationsIn, ARunThatGoesOnFromACheckpointEndsAlike) {
  const Recorder& undisturbed = oscillation_lab().train(job_with(GetParam(), kFreezing));
  const Recorder& whole = oscillation_lab().train_in_two(job_with(GetParam(), kFreezing), 17).whole;
  const auto points = curve_of(whole);
  EXPECT_EQ(points, curve_of(undisturbed));
  EXPECT_EQ(whole.finished().results, undisturbed.finished().results);
  EXPECT_THAT(points.back().second.at("frozen_weights"), Gt(0));
}

INSTANTIATE_TEST_SUITE_P(Methods, OscillationsIn,
                         ::testing::Values("fixed_precision", "qbitopt", "hawq_v2"),
                         [](const auto& info) { return info.param; });

TEST(OscillationsTest, WatchingChangesNothingAndDampingAndFreezingLeaveFewerThatOscillate) {
  const Recorder& plain = oscillation_lab().train(job_with("fixed_precision", ""));
  const Recorder& watched =
      oscillation_lab().train(job_with("fixed_precision", "oscillations.track: true"));
  EXPECT_EQ(watched.finished().results, plain.finished().results);
  EXPECT_THAT(plain.all<Metrics>().back().values, Not(Contains(Key("oscillating_weights"))));
  const auto oscillating = [](const Recorder& told) {
    return told.all<Metrics>().back().values.at("oscillating_weights");
  };
  EXPECT_THAT(oscillating(watched), Gt(0));
  const Recorder& damped =
      oscillation_lab().train(job_with("fixed_precision",
                                       "oscillations: {track: true, dampening: 1, "
                                       "dampening_start: 1}"));
  EXPECT_LT(oscillating(damped), oscillating(watched));
  const Recorder& frozen = oscillation_lab().train(job_with("fixed_precision", kFreezing));
  EXPECT_LT(oscillating(frozen), oscillating(watched));
}

TEST(OscillationsTest, JobsWithoutThemKeepTheirKeys) {
  const std::string plain = oscillation_lab().attempt(job_with("qbitopt", "")).job.key;
  EXPECT_EQ(oscillation_lab().attempt(job_with("qbitopt", "oscillations.max_bits: 4")).job.key,
            plain);
  EXPECT_NE(oscillation_lab().attempt(job_with("qbitopt", "oscillations.dampening: 0.1")).job.key,
            plain);
}

}  // namespace
}  // namespace qbitopt
