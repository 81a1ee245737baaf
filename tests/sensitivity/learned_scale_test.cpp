#include "qbitopt/sensitivity/learned_scale.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "qbitopt/core/random.h"
#include "sensitivity/small_resnet.h"
#include "sensitivity/tiny_network.h"

namespace qbitopt {
namespace {

constexpr double kRanges[] = {6, 2, 3, 2};  // of the tiny network's quantizers
constexpr bool kIsWeight[] = {false, true, false, true};
constexpr int kCandidates = 7;  // 2 to 8 bits

// Step sizes start at the network's own ranges.
SensitivityContext context_of(const TinyNetwork& network) {
  SensitivityContext context = network.context();
  context.keeps_ranges = true;
  return context;
}

TEST(LearnedScaleTest, CostsAreStepSizesTimesTheFactorOfWeights) {
  const TinyNetwork network;
  SensitivityContext context = context_of(network);
  const CostTable table =
      LearnedScale({.steps = 2, .learning_rate = 0, .weight_factor = 5}).estimate(context);
  EXPECT_EQ(table.unit, "step size");
  for (int q = 0; q < 4; ++q) {
    for (int i = 0; i < kCandidates; ++i) {
      const double step = kRanges[q] / (std::exp2(i + 2) - 1);
      EXPECT_NEAR(table.costs[q][i], (kIsWeight[q] ? 5 : 1) * step, 1e-6 * step);
    }
  }
}

// One step of SGD by hand, with the network's ordinary quantizers: a pass at every bit-width and one
// at the bits that are drawn.
TEST(LearnedScaleTest, AStepSumsTheGradientsOfAllBitWidths) {
  TinyNetwork network;
  double expected[4][kCandidates];
  for (int q = 0; q < 4; ++q) {
    for (int i = 0; i < kCandidates; ++i) expected[q][i] = kRanges[q] / (std::exp2(i + 2) - 1);
  }
  const double rate = 0.05;
  Random random(7, "sensitivity.learned_scale", 0);
  for (int pass = 0; pass <= kCandidates; ++pass) {
    int present[4];
    const auto quantizers = network.uniform();
    for (int q = 0; q < 4; ++q) {
      present[q] = pass < kCandidates ? pass : static_cast<int>(random.below(kCandidates));
      quantizers[q]->set_bits(present[q] + 2);
      quantizers[q]->range().mutable_grad() = torch::Tensor();
    }
    torch::cross_entropy_loss(network.forward(network.images), network.labels).backward();
    for (int q = 0; q < 4; ++q) {
      const double by_scale =
          quantizers[q]->range().grad().item<double>() * quantizers[q]->grid().K;
      expected[q][present[q]] -= rate * quantizers[q]->gradient_scale() * by_scale;
    }
  }
  SensitivityContext context = context_of(network);
  const CostTable table =
      LearnedScale({.steps = 1, .learning_rate = rate, .weight_factor = 1}).estimate(context);
  for (int q = 0; q < 4; ++q) {
    for (int i = 0; i < kCandidates; ++i) {
      const bool is_outlier = i + 1 < kCandidates && expected[q][i] < expected[q][i + 1];
      EXPECT_NEAR(table.costs[q][i], is_outlier ? LearnedScale::kProhibitive : expected[q][i],
                  1e-5 * kRanges[q])
          << q << " at " << i + 2 << " bits";
    }
  }
}

// The step sizes of a pinned tensor at other bits are at work in no pass, so they are not learned.
TEST(LearnedScaleTest, PinnedTensorsStayAtTheirBits) {
  const auto costs = [](double rate) {
    SmallResNet net;
    SensitivityContext context = net.context(32);
    return LearnedScale({.steps = 2, .learning_rate = rate}).estimate(context).costs;
  };
  const auto before = costs(0), after = costs(0.01);
  const SmallResNet net;
  int pinned = 0;
  for (size_t q = 0; q < before.size(); ++q) {
    const QuantizerSpec& spec = net.quantizers[q]->spec();
    pinned += spec.pinned_bits.has_value();
    for (size_t i = 0; i < before[q].size(); ++i) {
      const bool is_learned = !spec.pinned_bits || spec.candidate_bits[i] == *spec.pinned_bits;
      EXPECT_EQ(before[q][i] != after[q][i], is_learned) << spec.name << " candidate " << i;
    }
  }
  EXPECT_EQ(pinned, 1);
}

TEST(LearnedScaleTest, AvoidsAChoiceWhoseStepSizeIsBelowThatOfTheNextWiderOne) {
  const TinyNetwork network;
  SensitivityContext context = context_of(network);
  const CostTable table = LearnedScale({.steps = 20, .learning_rate = 3}).estimate(context);
  int64_t outliers = 0;
  for (const auto& row : table.costs)
    outliers += std::count(row.begin(), row.end(), LearnedScale::kProhibitive);
  ASSERT_GT(outliers, 0);
  EXPECT_THAT(table.note, testing::StartsWith(std::to_string(outliers) + " choices are avoided"));
}

}  // namespace
}  // namespace qbitopt
