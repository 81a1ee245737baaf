#include "qbitopt/training/recipe.h"

#include <gmock/gmock.h>

#include "qbitopt/config/catalog.h"
#include "qbitopt/core/error.h"

namespace qbitopt {
namespace {

// The defaults of the manifests, and 100 steps of 32 images.
Json optimization() {
  Json parameters;
  for (const auto& [key, spec] : builtin_catalog().keys()) {
    if (key.starts_with("training.")) parameters[key] = spec->default_value;
  }
  parameters.update({{"training.steps", 100}, {"training.batch_size", 32}});
  return parameters;
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
    EXPECT_THAT(error.what(), ::testing::HasSubstr("5 equal parts, but training.batch_size 32"));
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
