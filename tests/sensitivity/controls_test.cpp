#include "qbitopt/sensitivity/controls.h"

#include <gtest/gtest.h>

#include <cmath>

#include "qbitopt/core/error.h"
#include "sensitivity/tiny_network.h"

namespace qbitopt {
namespace {

TEST(ControlsTest, UniformCostsAreEqualAndFallWithTheSquaredSteps) {
  const TinyNetwork network;
  SensitivityContext context = network.context();
  const CostTable table = UniformSensitivity().estimate(context);
  ASSERT_EQ(table.costs.size(), 4);
  for (const auto& row : table.costs) {
    EXPECT_EQ(row, table.costs[0]);
    ASSERT_EQ(row.size(), 7);
    EXPECT_DOUBLE_EQ(row[0], 1.0 / 9);
    EXPECT_DOUBLE_EQ(row[6], 1.0 / (255 * 255));
  }
}

TEST(ControlsTest, RandomCostsFollowFromSeedAndStepAlone) {
  const TinyNetwork network;
  SensitivityContext context = network.context();
  RandomSensitivity random;
  const auto first = random.estimate(context).costs;
  EXPECT_EQ(random.estimate(context).costs, first);
  EXPECT_EQ(RandomSensitivity().estimate(context).costs, first);
  context.step = 40;
  EXPECT_NE(random.estimate(context).costs, first);
  context.step = 0;
  context.seed = 8;
  EXPECT_NE(random.estimate(context).costs, first);
}

TEST(ControlsTest, RandomCostsAreLogUniformOverTheDecades) {
  const TinyNetwork network;
  SensitivityContext context = network.context();
  RandomSensitivity random(/*decades=*/4);
  double sum = 0, squares = 0;
  const int draws = 2000;
  for (context.step = 0; context.step < draws; ++context.step) {
    const double exponent = std::log10(9 * random.estimate(context).costs[0][0]);
    EXPECT_LE(std::abs(exponent), 2);
    sum += exponent;
    squares += exponent * exponent;
  }
  EXPECT_NEAR(sum / draws, 0, 0.1);
  EXPECT_NEAR(squares / draws, 4 * 4 / 12.0, 0.1);
}

TEST(SensitivityRegistryTest, AnUnknownMetricIsAnErrorThatListsTheKnownOnes) {
  SensitivityRegistry registry("sensitivity");
  register_sensitivities(registry);
  try {
    registry.make("fits", Parameters(Json::object()));
    FAIL();
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("unknown sensitivity 'fits', did you mean 'fit'?"),
              std::string::npos)
        << error.what();
    EXPECT_NE(std::string(error.what()).find("fisher_exact, fit, hessian_eigenvalue"),
              std::string::npos);
  }
}

}  // namespace
}  // namespace qbitopt
