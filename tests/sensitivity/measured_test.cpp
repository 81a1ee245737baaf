#include "qbitopt/sensitivity/measured.h"

#include <gtest/gtest.h>

#include <sstream>

#include "sensitivity/tiny_network.h"

namespace qbitopt {
namespace {

// Its cost is how often it was measured.
class Counting : public MeasuredSensitivity {
 public:
  explicit Counting(int every) : MeasuredSensitivity("counting", every) {}
  CostTable measure(SensitivityContext&, const UniformQuantizers&, Stage stage) override {
    return {.costs = {{stage == Stage::kTraining ? 1.0 * ++measured : -1.0}},
            .unit = "times",
            .note = "noted"};
  }
  int measured = 0;
};

TEST(MeasuredSensitivityTest, IsMeasuredAnewOncePerPeriod) {
  const TinyNetwork network;
  SensitivityContext context = network.context();
  Counting metric(/*every=*/3);
  EXPECT_EQ(metric.estimate(context).costs[0][0], -1);
  std::vector<double> seen;
  for (int i = 0; i < 7; ++i) seen.push_back(metric.current(context).costs[0][0]);
  EXPECT_EQ(seen, (std::vector<double>{1, 1, 1, 2, 2, 2, 3}));
}

TEST(MeasuredSensitivityTest, IsEstimatedWithTheQuantizersAtWorkIfTheirRangesAreKept) {
  const TinyNetwork network;
  SensitivityContext context = network.context();
  context.keeps_ranges = true;
  EXPECT_EQ(Counting(1).estimate(context).costs[0][0], 1);
}

TEST(MeasuredSensitivityTest, IsMeasuredAnewOnceForgotten) {
  const TinyNetwork network;
  SensitivityContext context = network.context();
  Counting metric(/*every=*/3);
  metric.current(context);
  metric.forget(network.quantizers);
  EXPECT_EQ(metric.current(context).costs[0][0], 2);
  EXPECT_EQ(metric.current(context).costs[0][0], 2);
}

TEST(MeasuredSensitivityTest, GoesOnInItsPeriodAfterResuming) {
  const TinyNetwork network;
  SensitivityContext context = network.context();
  Counting metric(3);
  for (int i = 0; i < 4; ++i) metric.current(context);
  torch::serialize::OutputArchive saved;
  metric.save(saved);
  std::stringstream file;
  saved.save_to(file);

  torch::serialize::InputArchive stored;
  stored.load_from(file);
  Counting resumed(3);
  resumed.load(stored);
  for (int i = 0; i < 2; ++i) {
    const CostTable table = resumed.current(context);
    EXPECT_EQ(table.costs, metric.current(context).costs);
    EXPECT_EQ(table.unit, "times");
    EXPECT_EQ(table.note, "");  // told when it was measured
  }
  EXPECT_EQ(resumed.measured, 0);
  EXPECT_EQ(resumed.current(context).note, "noted");
  EXPECT_EQ(resumed.measured, 1);
}

TEST(TapsTest, QuantizersAreAsBeforeAtTheEnd) {
  const TinyNetwork network;
  const torch::Tensor before = network.forward(network.images);
  const auto quantizers = network.uniform();
  {
    Taps taps(quantizers);
    taps.set_all(Stage::kBeforeTraining);
    EXPECT_TRUE(torch::allclose(network.forward(network.images),
                                network.plain(network.images, network.W1, network.W2)));
    taps.set(2, Stage::kTraining);
    EXPECT_FALSE(torch::allclose(network.forward(network.images),
                                 network.plain(network.images, network.W1, network.W2)));
  }
  EXPECT_TRUE(torch::equal(network.forward(network.images), before));
}

}  // namespace
}  // namespace qbitopt
