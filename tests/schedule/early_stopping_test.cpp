#include "qbitopt/schedule/early_stopping.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "schedule/map_store.h"

namespace qbitopt {
namespace {

using ::testing::HasSubstr;
using testing::MapStore;
using testing::named_job;

class EarlyStoppingTest : public ::testing::Test {
 protected:
  // Runs of 100 steps with 3 bits.
  void add(std::initializer_list<const char*> names, double bits = 3,
           const std::string& case_name = "") {
    for (const char* name : names) {
      PlannedJob job = planned_job(named_job(name, {{"budget.average_bits", bits}}));
      job.case_name = case_name;
      plan_.jobs.push_back(std::move(job));
    }
  }
  size_t index(const std::string& name) const {
    for (size_t i = 0; i < plan_.jobs.size(); ++i) {
      if (plan_.jobs[i].key == sha256(name)) return i;
    }
    throw std::out_of_range(name);
  }
  EarlyStopping& stopping() {
    if (!stopping_) stopping_.emplace(rule_, plan_, store_);
    return *stopping_;
  }
  // The run has a loss at a step. Returns why it is hopeless.
  std::string validate(const std::string& name, int64_t step, double loss) {
    stopping().hear(index(name), Event{1, 0, Progress{step, 100, "train", 0, 0, 0}});
    return stopping().hear(index(name), Event{2, 0, Metrics{step, "validation", {{"loss", loss}}}});
  }

  StopRule rule_{.after = 0.3, .peers = 2};
  Plan plan_;
  MapStore store_;
  std::optional<EarlyStopping> stopping_;
};

TEST_F(EarlyStoppingTest, ARunThatIsWorseThanTheMedianOfItsPeersIsHopeless) {
  add({"a", "b", "c", "d"});
  EXPECT_EQ(validate("a", 50, 1), "");
  EXPECT_EQ(validate("b", 50, 2), "");
  EXPECT_EQ(validate("c", 50, 1.5), "") << "it is the median";
  EXPECT_THAT(validate("d", 50, 1.6),
              HasSubstr("best validation loss 1.6 up to step 50 of 100, median of 3 peers 1.5"));
}

TEST_F(EarlyStoppingTest, TheBestValueSoFarCounts) {
  add({"a", "b", "c"});
  validate("a", 50, 1);
  validate("b", 50, 2);
  EXPECT_EQ(validate("c", 40, 0.5), "");
  EXPECT_EQ(validate("c", 50, 9), "") << "it was better before";
}

TEST_F(EarlyStoppingTest, OfTop1TheLargestIsTheBest) {
  rule_.metric = "top1";
  rule_.is_better_smaller = false;
  add({"a", "b", "c"});
  const auto validate_top1 = [&](const char* name, double top1) {
    stopping().hear(index(name), Event{1, 0, Progress{50, 100, "train", 0, 0, 0}});
    return stopping().hear(index(name), Event{2, 0, Metrics{50, "validation", {{"top1", top1}}}});
  };
  validate_top1("a", 80);
  validate_top1("b", 82);
  EXPECT_NE(validate_top1("c", 80.5), "");
}

TEST_F(EarlyStoppingTest, NoRunIsStoppedInTheFirstPartOfItsSteps) {
  add({"a", "b", "c"});
  validate("a", 50, 1);
  validate("b", 50, 1);
  validate("a", 20, 1);
  validate("b", 20, 1);
  EXPECT_EQ(validate("c", 29, 9), "");
  EXPECT_NE(validate("c", 30, 9), "");
}

TEST_F(EarlyStoppingTest, NoRunIsStoppedWithTooFewPeersThatCameAsFar) {
  add({"a", "b", "c"});
  validate("a", 50, 1);
  validate("b", 40, 1);
  EXPECT_EQ(validate("c", 50, 9), "");
  validate("b", 60, 1);
  EXPECT_NE(validate("c", 50, 9), "");
}

// Rungs at 10, 30 and 90 of 100 steps.
TEST_F(EarlyStoppingTest, HalvingKeepsTheBestThirdAtEachRung) {
  rule_ = {.kind = StopRule::Kind::kHalving, .after = 0.1, .peers = 2};
  add({"a", "b", "c", "d", "e", "f"});
  EXPECT_EQ(validate("a", 10, 5), "");
  EXPECT_EQ(validate("b", 10, 4), "") << "too few to compare with";
  EXPECT_EQ(validate("c", 10, 3), "") << "the best of three";
  EXPECT_THAT(validate("d", 10, 3.5),
              HasSubstr("best validation loss 3.5 up to step 10 of 100, place 2 of 4 where the "
                        "best 1 go on"));
  EXPECT_NE(validate("e", 10, 4.5), "");
  EXPECT_EQ(validate("f", 10, 3.4), "") << "the second of six";
  EXPECT_EQ(validate("f", 20, 9), "") << "no rung";
  for (const char* name : {"a", "b", "c"}) validate(name, 35, 2);
  EXPECT_NE(validate("f", 35, 2.5), "") << "the first validation beyond a rung";
}

TEST_F(EarlyStoppingTest, RunsOfOtherCasesAndBudgetsAreNoPeers) {
  add({"a", "b"}, 3, "qbitopt");
  add({"c"}, 2, "qbitopt");
  add({"d"}, 3, "fixed");
  for (const char* name : {"a", "b"}) validate(name, 50, 1);
  EXPECT_EQ(validate("c", 50, 9), "");
  EXPECT_EQ(validate("d", 50, 9), "");
}

TEST_F(EarlyStoppingTest, ARunThatAnotherNeedsIsNeverStopped) {
  add({"a", "b", "c"});
  PlannedJob child = planned_job(named_job("child", {}, {{"start", sha256("c")}}));
  plan_.jobs.push_back(child);
  for (const char* name : {"a", "b"}) validate(name, 50, 1);
  EXPECT_EQ(validate("c", 50, 9), "");
}

TEST_F(EarlyStoppingTest, WhatEarlierDriversHeardCounts) {
  add({"a", "b", "c"});
  for (const char* name : {"a", "b"}) {
    store_.events[sha256(name)] = {Event{1, 0, Metrics{50, "validation", {{"loss", 1.0}}}}};
  }
  EXPECT_NE(validate("c", 50, 9), "");
}

TEST_F(EarlyStoppingTest, WhatARunDidBeyondTheCheckpointThatItGoesOnFromDoesNotCount) {
  add({"a", "b", "c"});
  for (const char* name : {"a", "b"}) validate(name, 60, 1);
  validate("c", 40, 0.5);
  Started started;
  started.resumed_from_step = 30;
  stopping().hear(index("c"), Event{1, 0, started});
  for (const char* name : {"a", "b"}) validate(name, 45, 1);
  EXPECT_NE(validate("c", 45, 9), "");
}

}  // namespace
}  // namespace qbitopt
