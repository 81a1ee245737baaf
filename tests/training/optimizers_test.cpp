#include "qbitopt/training/optimizers.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <sstream>

#include "qbitopt/training/fused_sgd.h"

namespace qbitopt {
namespace {

using torch::Tensor;

TEST(OptimizersTest, ExtraParametersFollowTheScheduleIfTheySaySo) {
  torch::Tensor constant = torch::zeros({1}).requires_grad_();
  torch::Tensor scheduled = torch::zeros({1}).requires_grad_();
  Optimizers optimizers(
      Recipe{}, {}, {}, Parameters(),
      {{.tensors = {constant}, .optimizer = "sgd", .learning_rate = 1},
       {.tensors = {scheduled}, .optimizer = "sgd", .learning_rate = 1, .follows_schedule = true}});
  (constant + scheduled).backward();
  optimizers.step(0.25);
  EXPECT_EQ(constant.item<float>(), -1);
  EXPECT_EQ(scheduled.item<float>(), -0.25f);
  optimizers.step(1);
  EXPECT_EQ(scheduled.item<float>(), -1.25f);
}

// A weight after steps with one gradient.
Tensor stepped(const Recipe& recipe, const Tensor& start, const Tensor& gradient, int steps = 1) {
  Tensor weight = start.clone().requires_grad_();
  Optimizers optimizers(recipe, {weight}, {}, Parameters(), {});
  for (int i = 0; i < steps; ++i) {
    weight.mutable_grad() = gradient.clone();
    optimizers.step(1);
  }
  return weight.detach();
}

TEST(OptimizersTest, AdamWDecaysWeightsApartFromTheGradientAndBiasesNot) {
  const Recipe recipe{.learning_rate = 0.01,
                      .optimizer = WeightOptimizer::kAdamW,
                      .beta1 = 0.5,
                      .beta2 = 0.25,
                      .epsilon = 1e-3,
                      .weight_decay = 0.1};
  const auto expected = [](double value, double decay) {
    double m = 0, v = 0;
    for (int step = 1; step <= 3; ++step) {
      value *= 1 - 0.01 * decay;
      m = 0.5 * m + 0.5 * 4;
      v = 0.25 * v + 0.75 * 16;
      const double corrected = m / (1 - std::pow(0.5, step));
      value -= 0.01 * corrected / (std::sqrt(v / (1 - std::pow(0.25, step))) + 1e-3);
    }
    return value;
  };
  const Tensor weight = torch::full({1, 1}, 2.0), bias = torch::full({1}, 2.0);
  EXPECT_NEAR(stepped(recipe, weight, weight * 2, 3).item<float>(), expected(2, 0.1), 1e-6);
  EXPECT_NEAR(stepped(recipe, bias, bias * 2, 3).item<float>(), expected(2, 0), 1e-6);
}

TEST(OptimizersTest, AdamWGoesOnFromItsSavedState) {
  const Recipe recipe{.optimizer = WeightOptimizer::kAdamW};
  const Tensor start = torch::full({2, 2}, 1.0);
  Tensor one = start.clone().requires_grad_();
  Optimizers first(recipe, {one}, {}, Parameters(), {});
  one.mutable_grad() = torch::full({2, 2}, 3.0);
  first.step(1);
  std::stringstream stream;
  torch::serialize::OutputArchive out;
  first.save(out);
  out.save_to(stream);
  torch::serialize::InputArchive in;
  in.load_from(stream);
  Tensor other = one.detach().clone().requires_grad_();
  Optimizers second(recipe, {other}, {}, Parameters(), {});
  second.load(in);
  for (auto* weight : {&one, &other}) weight->mutable_grad() = torch::full({2, 2}, -1.0);
  first.step(0.5);
  second.step(0.5);
  EXPECT_TRUE(torch::equal(one, other));
}

// Weights in both layouts, gradients in either, one of them absent at first; and its state.
TEST(FusedSgdTest, DoesWhatLibTorchsDoes) {
  for (const double momentum : {0.0, 0.9}) {
    const auto options =
        torch::optim::SGDOptions(0.1).momentum(momentum).nesterov(momentum > 0).weight_decay(0.01);
    const auto make = [] {
      torch::manual_seed(1);
      return std::vector<Tensor>{
          torch::randn({8, 4, 3, 3}).contiguous(at::MemoryFormat::ChannelsLast),
          torch::randn({8, 4, 3, 3}), torch::randn({5}), torch::randn({3, 7})};
    };
    const std::vector<Tensor> fused = make(), separate = make();
    auto ours = std::make_unique<FusedSgd>(fused, options);
    torch::optim::SGD theirs(separate, options);
    for (int step = 0; step < 4; ++step) {
      for (size_t i = 0; i < fused.size(); ++i) {
        if (i == 2 && step < 2) continue;
        const Tensor gradient = i == 1 ? torch::randn({8, 3, 3, 4}).permute({0, 3, 1, 2})
                                       : torch::randn(fused[i].sizes());
        fused[i].mutable_grad() = gradient;
        separate[i].mutable_grad() = gradient.clone();
      }
      if (step == 2) {  // it goes on from what it has saved
        torch::serialize::OutputArchive saved;
        ours->save(saved);
        std::stringstream stream;
        saved.save_to(stream);
        torch::serialize::InputArchive read;
        read.load_from(stream);
        ours = std::make_unique<FusedSgd>(fused, options);
        ours->load(read);
      }
      ours->step();
      theirs.step();
      for (size_t i = 0; i < fused.size(); ++i)
        EXPECT_TRUE(torch::allclose(fused[i], separate[i], 1e-5, 1e-6)) << i << " " << step;
    }
  }
}

TEST(FusedSgdTest, DampensAsLibTorchDoes) {
  const auto options = torch::optim::SGDOptions(0.1).momentum(0.9).dampening(0.5);
  Tensor fused = torch::ones({5}), separate = torch::ones({5});
  FusedSgd ours({fused}, options);
  torch::optim::SGD theirs({separate}, options);
  for (int step = 0; step < 2; ++step) {
    fused.mutable_grad() = separate.mutable_grad() = torch::ones({5});
    ours.step();
    theirs.step();
    EXPECT_TRUE(torch::equal(fused, separate));
  }
}

TEST(OptimizersTest, ALongGradientIsScaledDownToTheLargestNormOverAllWeights) {
  const Recipe recipe{
      .learning_rate = 1, .momentum = 0, .weight_decay = 0, .clip_gradient_norm = 5};
  Tensor a = torch::zeros({1, 1}).requires_grad_(), b = torch::zeros({1}).requires_grad_();
  const auto step = [&](double of_a, double of_b) {
    const torch::NoGradGuard no_grad;
    a.zero_();
    b.zero_();
    Optimizers optimizers(recipe, {a, b, torch::zeros({3})}, {}, Parameters(), {});
    a.mutable_grad() = torch::full({1, 1}, of_a);
    b.mutable_grad() = torch::full({1}, of_b);
    optimizers.step(1);
    return std::pair(-a.item<float>(), -b.item<float>());
  };
  const auto [a_clipped, b_clipped] = step(30, 40);
  EXPECT_NEAR(a_clipped, 3, 1e-5);
  EXPECT_NEAR(b_clipped, 4, 1e-5);
  EXPECT_EQ(step(3, 1), std::pair(3.0f, 1.0f));
}

TEST(OptimizersTest, GradientsOfRangesAreNotClippedAndDoNotCount) {
  const QuantizerSpec spec{.name = "fc.weight", .elements = 4};
  const auto quantizer = std::make_shared<UniformQuantizer>(spec);
  quantizer->forward(torch::randn({2, 2}));
  const auto range_after = [&](double limit) {
    const torch::NoGradGuard no_grad;
    quantizer->range().fill_(100);
    Tensor weight = torch::zeros({1, 1}).requires_grad_();
    Optimizers optimizers(
        {.learning_rate = 1, .momentum = 0, .weight_decay = 0, .clip_gradient_norm = limit},
        {weight}, {quantizer}, Parameters(), {});
    weight.mutable_grad() = torch::full({1, 1}, 0.5);
    quantizer->range().mutable_grad() = torch::full({1}, 0.01);
    quantizer->range().mutable_grad().mul_(1000);
    optimizers.step(1);
    return std::pair(quantizer->range().item<float>(), weight.item<float>());
  };
  EXPECT_EQ(range_after(1), range_after(0));
  EXPECT_NE(range_after(1).first, 100);
}

}  // namespace
}  // namespace qbitopt
