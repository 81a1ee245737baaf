#include "qbitopt/training/recipe.h"

#include <gmock/gmock.h>

#include <cmath>

#include "qbitopt/core/error.h"

namespace qbitopt {
namespace {

Json optimization() {
  return {{"training.epochs", 0},         {"training.steps", 100},
          {"training.batch_size", 32},    {"training.learning_rate", 0.1},
          {"training.momentum", 0.9},     {"training.nesterov", false},
          {"training.weight_decay", 0.0}, {"training.schedule", "cosine"},
          {"training.warmup_steps", 0},   {"training.threads", 1},
          {"training.validate_every", 0}};
}

Recipe recipe(const Json& changes = Json::object()) {
  Json json = optimization();
  json.update(changes);
  return Recipe::from(Parameters(json), /*train_images=*/1000);
}

TEST(RecipeTest, EpochsCountWholeBatches) {
  EXPECT_EQ(recipe().steps, 100);
  EXPECT_EQ(recipe({{"training.epochs", 2}}).steps, 2 * 31);
}

TEST(RecipeTest, NothingToTrainIsAnError) {
  try {
    recipe({{"training.steps", 0}});
    FAIL() << "expected InputError";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("set training.epochs or training.steps"));
  }
}

TEST(RecipeTest, BatchNormFreezesAtAFractionOfTheSteps) {
  EXPECT_EQ(recipe({{"batch_norm.freeze_at", 0.7}}).freeze_batch_norm_at, 70);
  EXPECT_EQ(recipe({{"batch_norm.freeze_at", 0.7}, {"batch_norm.reestimate_batches", 50}})
                .reestimate_batches,
            0);
  EXPECT_EQ(recipe({{"batch_norm.freeze_at", 1.0}, {"batch_norm.reestimate_batches", 50}})
                .reestimate_batches,
            50);
}

TEST(LearningRateTest, CosineStartsAtOneAndEndsNearZero) {
  const Recipe r = recipe();
  EXPECT_DOUBLE_EQ(learning_rate_factor(r, 0, 100), 1);
  EXPECT_NEAR(learning_rate_factor(r, 50, 100), 0.5, 1e-12);
  EXPECT_NEAR(learning_rate_factor(r, 99, 100), 0.5 * (1 + std::cos(M_PI * 0.99)), 1e-12);
}

TEST(LearningRateTest, WarmUpIsLinear) {
  const Recipe r = recipe({{"training.warmup_steps", 10}});
  EXPECT_DOUBLE_EQ(learning_rate_factor(r, 0, 100), 0.1);
  EXPECT_DOUBLE_EQ(learning_rate_factor(r, 9, 100), 1);
  EXPECT_DOUBLE_EQ(learning_rate_factor(r, 10, 100), 1);
  EXPECT_NEAR(learning_rate_factor(r, 55, 100), 0.5, 1e-12);
}

TEST(LearningRateTest, AConstantScheduleStaysAtOne) {
  const Recipe r = recipe({{"training.schedule", "constant"}});
  EXPECT_DOUBLE_EQ(learning_rate_factor(r, 99, 100), 1);
}

}  // namespace
}  // namespace qbitopt
