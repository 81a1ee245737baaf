#include "qbitopt/sweep/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/test_manifests.h"
#include "core/errors.h"

namespace qbitopt {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

SettingsLayer read_set(const std::string& text, Values values = Values::kPlain) {
  return read_settings(parse_yaml("a.yaml", text), "set", values, small_catalog());
}

std::vector<std::string> keys(const Settings& settings) {
  std::vector<std::string> keys;
  for (const Setting& setting : settings) keys.push_back(setting.key);
  return keys;
}

TEST(SettingsTest, NestedAndDottedKeysAreTheSame) {
  const Settings settings =
      read_set("training: {steps: 3, learning_rate: 0.1}\nbudget.average_bits: 4\nmethod: fp32\n")
          .settings;
  EXPECT_THAT(keys(settings), ElementsAre("training.steps", "training.learning_rate",
                                          "budget.average_bits", "method"));
  EXPECT_EQ(settings.find("training.steps")->value.scalar, Json(3));
  EXPECT_EQ(settings.find("training.steps")->place.column, 12);
}

TEST(SettingsTest, AnAxisIsNoNesting) {
  const Settings settings = read_set("training: {steps: {from: 1, to: 3}}", Values::kAxes).settings;
  EXPECT_THAT(keys(settings), ElementsAre("training.steps"));
  EXPECT_THAT(input_error([] { read_set("training: {steps: {from: 1, to: 3}}"); }),
              HasSubstr("unknown key 'training.steps.from'"));
}

TEST(SettingsTest, RefusesAKeyThatStandsTwice) {
  EXPECT_THAT(input_error([] { read_set("training.steps: 3\ntraining: {steps: 4}\n"); }),
              HasSubstr("a.yaml:2:12: duplicate key 'training.steps', first set in line 1"));
}

TEST(SettingsTest, DeleteNamesThePrefix) {
  EXPECT_THAT(read_set("training: {_delete_: true, steps: 3}").dropped, ElementsAre("training"));
  EXPECT_THAT(read_set("{_delete_: true}").dropped, ElementsAre(""));
  EXPECT_THAT(read_set("{_delete_: false}").dropped, ElementsAre());
  EXPECT_THAT(input_error([] { read_set("{_delete_: maybe}"); }),
              HasSubstr("_delete_ must be true or false"));
}

TEST(SettingsTest, KeepsTheFirstPlaceOfAKey) {
  Settings settings = read_set("{method: fp32, model: tiny}").settings;
  settings.assign(*read_set("{method: qbitopt}").settings.find("method"));
  EXPECT_THAT(keys(settings), ElementsAre("method", "model"));
  EXPECT_EQ(settings.find("method")->value.scalar, "qbitopt");
  EXPECT_TRUE(settings.erase("method"));
  EXPECT_FALSE(settings.erase("method"));
}

TEST(SettingsTest, ErasesBelowAPrefix) {
  Settings settings = read_set("{training.steps: 3, pretraining.steps: 4, method: fp32}").settings;
  settings.erase_below("training");
  EXPECT_THAT(keys(settings), ElementsAre("pretraining.steps", "method"));
  settings.erase_below("");
  EXPECT_TRUE(settings.empty());
}

}  // namespace
}  // namespace qbitopt
