#include "qbitopt/quant/range_optimizer.h"

#include <gtest/gtest.h>

#include <cmath>

#include "qbitopt/core/error.h"
#include "qbitopt/quant/fake_quantize.h"

namespace qbitopt {
namespace {

using torch::Tensor;

// A weight tensor to be approximated: loss = 1/2 sum (x_hat - x)^2 with a fixed x, so that only the
// range learns.
struct Problem {
  explicit Problem(RangeOptimizerOptions options, int bits, double range)
      : quantizer(std::make_shared<UniformQuantizer>(QuantizerSpec{.name = "w"})),
        optimizer({quantizer}, options) {
    quantizer->set_bits(bits);
    quantizer->range().data().fill_(range);
  }
  double step() {
    optimizer.zero_grad();
    (0.5 * (quantizer->forward(x) - target).square().sum()).backward();
    optimizer.step();
    return range();
  }
  double range() const { return quantizer->range().item<double>(); }

  Tensor x = torch::randn({512}, at::detail::createCPUGenerator(5), torch::kFloat32);
  Tensor target = x;
  std::shared_ptr<UniformQuantizer> quantizer;
  RangeOptimizer optimizer;
};

RangeOptimizerOptions sgd(double learning_rate = 1e-2) {
  return {.kind = RangeOptimizerKind::kSgd, .learning_rate = learning_rate};
}
RangeOptimizerOptions adam(double learning_rate = 1e-3) {
  return {.kind = RangeOptimizerKind::kAdam, .learning_rate = learning_rate};
}

// LSQ as published: the step size s is the parameter, its gradient is scaled by g (SGD), and an
// ordinary optimizer of LibTorch moves it. Returns s K after each of `steps` steps.
std::vector<double> lsq_trajectory(const Problem& problem, RangeOptimizerOptions options, int bits,
                                   double range, int steps) {
  const Grid grid = Grid::make(bits, true);
  const Tensor x = problem.x.to(torch::kFloat64);
  const Tensor s = torch::full({1}, range / grid.K, torch::kFloat64).requires_grad_();
  const bool is_sgd = options.kind == RangeOptimizerKind::kSgd;
  const double g = is_sgd ? 1 / std::sqrt(static_cast<double>(x.numel()) * grid.p) : 1;
  std::unique_ptr<torch::optim::Optimizer> optimizer;
  if (is_sgd) {
    optimizer = std::make_unique<torch::optim::SGD>(
        std::vector<Tensor>{s},
        torch::optim::SGDOptions(options.learning_rate).momentum(options.momentum));
  } else {
    optimizer = std::make_unique<torch::optim::Adam>(
        std::vector<Tensor>{s}, torch::optim::AdamOptions(options.learning_rate));
  }
  std::vector<double> ranges;
  for (int i = 0; i < steps; ++i) {
    optimizer->zero_grad();
    const Tensor scaled = (s - s * g).detach() + s * g;
    const Tensor v = (x / scaled).clamp(grid.n, grid.p);
    const Tensor x_hat = scaled * (v + (v.round() - v).detach());
    (0.5 * (x_hat - x).square().sum()).backward();
    optimizer->step();
    ranges.push_back(s.item<double>() * grid.K);
  }
  return ranges;
}

// At rates that stay below the bound on a step: at 8 bits, 1e-2 throws s from 3 to 39 times 1 / K.
TEST(RangeOptimizerTest, TrajectoryEqualsThatOfTheStepSizeAtConstantBits) {
  for (const int bits : {2, 4, 8}) {
    for (const auto& options : {sgd(bits == 8 ? 1e-5 : 1e-2), adam()}) {
      Problem problem(options, bits, 3.0);
      const auto expected = lsq_trajectory(problem, options, bits, 3.0, 100);
      for (int i = 0; i < 100; ++i) {
        ASSERT_NEAR(problem.step(), expected[i], 2e-3 * expected[i])
            << (options.kind == RangeOptimizerKind::kSgd ? "SGD, " : "Adam, ") << bits
            << " bits, step " << i;
      }
      EXPECT_GT(std::abs(expected[99] - 3.0), 1e-3)
          << "the range did not move: nothing was compared";
    }
  }
}

// The state of an optimizer that trained at other bits must not throw the range about: over the
// first 50 steps the largest step stays within 3 times a fresh optimizer's.
TEST(RangeOptimizerTest, AfterABitChangeStepsStayNearThoseOfAFreshOptimizer) {
  for (const auto& options : {sgd(), adam()}) {
    for (const auto& [from, to] : {std::pair(8, 2), std::pair(2, 8)}) {
      Problem trained(options, from, 3.0);
      for (int i = 0; i < 100; ++i) trained.step();
      trained.quantizer->set_bits(to);
      Problem fresh(options, to, trained.range());
      double largest_trained = 0, largest_fresh = 0;
      for (int i = 0; i < 50; ++i) {
        const double before_trained = trained.range(), before_fresh = fresh.range();
        largest_trained = std::max(largest_trained, std::abs(trained.step() - before_trained));
        largest_fresh = std::max(largest_fresh, std::abs(fresh.step() - before_fresh));
      }
      EXPECT_LE(largest_trained, 3 * largest_fresh)
          << (options.kind == RangeOptimizerKind::kSgd ? "SGD, " : "Adam, ") << from << " to "
          << to;
    }
  }
}

// Values below and above the grid, so that the offset has a gradient: 0 inside, 1 where clipped.
TEST(RangeOptimizerTest, AnOffsetMovesAsLsqPlusMovesIt) {
  for (const RangeOptimizerOptions& options : {sgd(0.1), adam(0.01)}) {
    const auto quantizer = std::make_shared<UniformQuantizer>(QuantizerSpec{
        .name = "x", .kind = TensorKind::kActivation, .is_signed = false, .has_offset = true});
    quantizer->set_bits(4);
    RangeOptimizer optimizer({quantizer}, options);
    (quantizer->forward(torch::tensor({{-1.0f, -0.5f, 0.5f, 3.0f}})) *
     torch::tensor({1.0f, 2.0f, 4.0f, 8.0f}))
        .sum()
        .backward();
    const double gradient = quantizer->offset().grad().item<double>();
    EXPECT_DOUBLE_EQ(gradient, 1 + 2 + 8);
    optimizer.step();
    const double expected = options.kind == RangeOptimizerKind::kSgd
                                ? -0.1 * gradient / std::sqrt(4 * 15.0)  // g = 1 / sqrt(N p)
                                : -0.01;                                 // Adam's first step
    EXPECT_NEAR(quantizer->offset().item<double>(), expected, 1e-6);
  }
}

// However large the gradient, a step changes a range by a factor of 1.25 at most.
TEST(RangeOptimizerTest, OneStepDoesNotThrowARange) {
  for (const auto& options : {sgd(/*learning_rate=*/1e3), adam(/*learning_rate=*/1e3)}) {
    Problem falling(options, 8, 3.0), rising(options, 8, 0.1);
    falling.target = torch::zeros_like(falling.x);
    EXPECT_NEAR(falling.step(), 3.0 / 1.25, 1e-6);
    EXPECT_NEAR(falling.step(), 3.0 / 1.25 / 1.25, 1e-6);
    EXPECT_NEAR(rising.step(), 0.1 * 1.25, 1e-6);
  }
}

// A range that was held back goes where the next gradient points, not where its momentum did.
TEST(RangeOptimizerTest, ARangeThatWasHeldBackLosesItsMomentum) {
  Problem held(sgd(/*learning_rate=*/0.05), 8, 3.0);
  held.target = 1e6 * held.x;  // a gradient far beyond the others
  EXPECT_NEAR(held.step(), 3.0 * 1.25, 1e-6);
  held.target = held.x;
  Problem fresh(sgd(/*learning_rate=*/0.05), 8, held.range());
  const double before = held.range();
  EXPECT_EQ(held.step(), fresh.step());
  EXPECT_NE(held.range(), before);
}

// Each channel has its own bound and momentum.
TEST(RangeOptimizerTest, AChannelThatIsHeldBackLeavesTheOthersAlone) {
  const auto channels = [](double first) {
    const auto quantizer =
        std::make_shared<UniformQuantizer>(QuantizerSpec{.name = "w", .channels = 2},
                                           UniformQuantizerOptions{.per_channel_weights = true});
    quantizer->set_bits(8);
    RangeOptimizer optimizer({quantizer}, sgd(/*learning_rate=*/1e-3));
    for (int i = 0; i < 2; ++i) {
      quantizer->range().mutable_grad() = torch::tensor({i == 0 ? first : 1e-4, 1e-3});
      optimizer.step();
    }
    return quantizer->range().detach().clone();
  };
  const Tensor ordinary = channels(1e-4), thrown = channels(-1e6);
  EXPECT_NEAR(thrown[0].item<double>(), 1.25, 1e-2);
  EXPECT_LT(ordinary[0].item<double>(), 1);
  EXPECT_EQ(thrown[1].item<double>(), ordinary[1].item<double>());
}

// A gradient that is not contiguous takes the way of tensors elsewhere than in float on the CPU.
TEST(RangeOptimizerTest, TheLoopOnTheCpuDoesWhatTensorsDo) {
  const auto ranges = [](bool loop) {
    const auto quantizer =
        std::make_shared<UniformQuantizer>(QuantizerSpec{.name = "w", .channels = 4},
                                           UniformQuantizerOptions{.per_channel_weights = true});
    quantizer->set_bits(8);
    RangeOptimizer optimizer({quantizer}, sgd(/*learning_rate=*/1e-3));
    for (const float thrown : {1e6F, -1e6F, 1e-4F, 1e-4F}) {
      const Tensor gradient = torch::tensor({thrown, -thrown, 1e-3F, -2e-3F});
      quantizer->range().mutable_grad() =
          loop ? gradient : torch::stack({gradient, gradient}, 1).select(1, 0);
      EXPECT_EQ(quantizer->range().grad().is_contiguous(), loop);
      optimizer.step();
    }
    return quantizer->range().detach().clone();
  };
  EXPECT_TRUE(torch::allclose(ranges(true), ranges(false), 1e-6, 0));
}

TEST(RangeOptimizerTest, ARangeStopsAtTheFloor) {
  Problem problem(sgd(/*learning_rate=*/1e3), 4, 0.01);
  problem.target = torch::zeros_like(problem.x);  // every step makes the range smaller
  for (int i = 0; i < 60; ++i) EXPECT_GE(problem.step(), kRangeFloor * 0.999);
  EXPECT_NEAR(problem.range(), kRangeFloor, 1e-9);
  EXPECT_TRUE(problem.quantizer->forward(problem.x).isfinite().all().item<bool>());
}

TEST(RangeOptimizerTest, ARangeWithoutGradientStays) {
  Problem problem(sgd(), 4, 3.0);
  problem.optimizer.step();
  EXPECT_EQ(problem.range(), 3.0);
}

TEST(RangeOptimizerTest, TheLearningRateFollowsTheSchedule) {
  Problem whole(sgd(1e-2), 4, 3.0), half(sgd(2e-2), 4, 3.0);
  whole.step();
  (0.5 * (half.quantizer->forward(half.x) - half.target).square().sum()).backward();
  half.optimizer.step(0.5);
  EXPECT_DOUBLE_EQ(whole.range(), half.range());
}

TEST(RangeOptimizerTest, ARestoredOptimizerGoesOnAlike) {
  for (const auto& options : {sgd(), adam()}) {
    Problem original(options, 3, 3.0), restored(options, 3, 3.0);
    for (int i = 0; i < 10; ++i) original.step();
    std::stringstream stream;
    torch::serialize::OutputArchive out;
    original.optimizer.save(out);
    out.save_to(stream);
    torch::serialize::InputArchive in;
    in.load_from(stream);
    restored.optimizer.load(in);
    restored.quantizer->range().data().copy_(original.quantizer->range());
    for (int i = 0; i < 10; ++i) ASSERT_EQ(original.step(), restored.step());
  }
}

TEST(RangeOptimizerTest, StateOfAnotherNetworkIsRefused) {
  Problem problem(sgd(), 3, 3.0);
  RangeOptimizer none({}, sgd());
  std::stringstream stream;
  torch::serialize::OutputArchive out;
  problem.optimizer.save(out);
  out.save_to(stream);
  torch::serialize::InputArchive in;
  in.load_from(stream);
  EXPECT_THROW(none.load(in), std::runtime_error);
}

TEST(RangeOptimizerTest, OptionsComeFromTheJob) {
  const auto options = RangeOptimizerOptions::from(Parameters(Json{
      {"ranges.optimizer", "adam"}, {"ranges.learning_rate", 1e-5}, {"ranges.momentum", 0.5}}));
  EXPECT_EQ(options.kind, RangeOptimizerKind::kAdam);
  EXPECT_EQ(options.learning_rate, 1e-5);
  EXPECT_EQ(options.momentum, 0.5);
  try {
    RangeOptimizerOptions::from(Parameters(Json{{"ranges.optimizer", "lion"}}));
    FAIL();
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("known ranges.optimizers: adam, sgd"),
              std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace qbitopt
