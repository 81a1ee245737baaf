#include "qbitopt/training/recipe.h"

#include <gmock/gmock.h>

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

TEST(RecipeTest, ABatchThatPassesCannotDivideIsAnError) {
  EXPECT_EQ(recipe({{"training.accumulate", 8}}).accumulate, 8);
  try {
    recipe({{"training.accumulate", 5}});
    FAIL() << "expected InputError";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("5 equal parts; training.batch_size 32"));
  }
}

TEST(RecipeTest, UnknownChoicesAreNamed) {
  for (const char* name : {"schedule", "optimizer"}) {
    try {
      recipe({{std::string("training.") + name, "sdg"}});
      FAIL() << "expected InputError";
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), ::testing::HasSubstr(std::string("unknown ") + name + " 'sdg'"));
    }
  }
}

}  // namespace
}  // namespace qbitopt
