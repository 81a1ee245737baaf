#include "qbitopt/training/weight_average.h"

#include <gtest/gtest.h>

#include <sstream>

#include "qbitopt/models/batch_norm.h"
#include "sensitivity/small_resnet.h"

namespace qbitopt {
namespace {

using torch::Tensor;

// A network whose every averaged number is set by hand.
struct Numbers {
  explicit Numbers(double decay, RangeAtChange at_change = RangeAtChange::kKeep) : net(4) {
    for (QuantizerSite* site : net.network->sites()) {
      quantizers.push_back(std::make_shared<UniformQuantizer>(
          site->spec(), UniformQuantizerOptions{.range_at_change = at_change}));
      quantizers.back()->set_bits(4);
    }
    weight = torch::zeros({2}).requires_grad_();
    average = std::make_unique<WeightAverage>(
        decay, std::vector<Tensor>{weight}, *net.network,
        std::vector<QuantizerPtr>(quantizers.begin(), quantizers.end()));
  }

  void set(double value) {
    const torch::NoGradGuard no_grad;
    weight.fill_(value);
    quantizers[0]->range().fill_(10 + value);
    norm()->running_var.fill_(20 + value);
  }
  torch::nn::BatchNorm2dImpl* norm() { return batch_norms(*net.network)[0]; }
  double range() { return quantizers[0]->range().item<double>(); }
  double variance() { return norm()->running_var[0].item<double>(); }

  SmallResNet net;
  std::vector<std::shared_ptr<UniformQuantizer>> quantizers;
  Tensor weight;
  std::unique_ptr<WeightAverage> average;
};

TEST(WeightAverageTest, IsTheExponentialMovingAverageFromTheFirstStepOn) {
  Numbers numbers(0.75);
  for (const double value : {8.0, 4.0, 0.0}) {
    numbers.set(value);
    numbers.average->update();
  }
  const double expected = 0.75 * (0.75 * 8 + 0.25 * 4);
  numbers.average->swap();
  EXPECT_FLOAT_EQ(numbers.weight[1].item<float>(), expected);
  EXPECT_FLOAT_EQ(numbers.range(), 10 + expected);
  EXPECT_FLOAT_EQ(numbers.variance(), 20 + expected);
  numbers.average->swap();
  EXPECT_EQ(numbers.weight[1].item<float>(), 0);
  EXPECT_EQ(numbers.range(), 10);
  EXPECT_EQ(numbers.variance(), 20);
}

TEST(WeightAverageTest, ARestartForgetsThePast) {
  Numbers numbers(0.75);
  numbers.set(8);
  numbers.average->update();
  numbers.average->restart();
  numbers.average->swap();  // nothing to exchange
  EXPECT_EQ(numbers.weight[0].item<float>(), 8);
  numbers.set(4);
  numbers.average->update();
  numbers.set(0);
  numbers.average->update();
  numbers.average->swap();
  EXPECT_EQ(numbers.weight[0].item<float>(), 3);
}

TEST(WeightAverageTest, AChangeOfBitsEndsTheAverageOfARefittedRangeOnly) {
  for (const RangeAtChange at_change : {RangeAtChange::kKeep, RangeAtChange::kRefit}) {
    Numbers numbers(0.75, at_change);
    numbers.set(8);
    numbers.average->update();
    numbers.quantizers[0]->set_bits(2);
    numbers.set(4);
    numbers.average->update();
    numbers.average->swap();
    EXPECT_EQ(numbers.weight[0].item<float>(), 7);
    EXPECT_EQ(numbers.range(), at_change == RangeAtChange::kKeep ? 17 : 14);
  }
}

// Bits that the method sets after the last step.
TEST(WeightAverageTest, ARangeThatWasRefittedSinceTheLastUpdateStays) {
  Numbers numbers(0.75, RangeAtChange::kRefit);
  numbers.set(8);
  numbers.average->update();
  numbers.quantizers[0]->set_bits(2);
  const double refitted = numbers.range();
  EXPECT_NE(refitted, 18);
  numbers.average->swap();
  EXPECT_EQ(numbers.range(), refitted);
}

TEST(WeightAverageTest, GoesOnFromACheckpoint) {
  Numbers one(0.75), other(0.75);
  one.set(8);
  one.average->update();
  std::stringstream stream;
  torch::serialize::OutputArchive out;
  one.average->save(out);
  out.save_to(stream);
  torch::serialize::InputArchive in;
  in.load_from(stream);
  other.average->load(in);
  for (Numbers* numbers : {&one, &other}) {
    numbers->set(4);
    numbers->average->update();
    numbers->average->swap();
    EXPECT_EQ(numbers->weight[0].item<float>(), 7);
  }
}

TEST(WeightAverageTest, WithoutADecayThereIsNone) {
  Numbers numbers(0);
  EXPECT_FALSE(numbers.average->is_on());
  numbers.set(8);
  numbers.average->update();
  numbers.set(4);
  numbers.average->update();
  numbers.average->swap();
  EXPECT_EQ(numbers.weight[0].item<float>(), 4);
}

}  // namespace
}  // namespace qbitopt
