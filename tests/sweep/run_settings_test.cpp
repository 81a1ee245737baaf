#include "qbitopt/sweep/run_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/errors.h"

namespace qbitopt {
namespace {

using ::testing::HasSubstr;

TEST(RunSettingsTest, TimesHaveUnits) {
  const auto read = [](const std::string& text) { return seconds(parse_yaml("a.yaml", text)); };
  EXPECT_EQ(read("90"), 90);
  EXPECT_EQ(read("90s"), 90);
  EXPECT_EQ(read("1.5m"), 90);
  EXPECT_EQ(read("12h"), 43200);
  EXPECT_EQ(read("2d"), 172800);
  for (const char* text : {"0", "-1h", "12 parsecs", "soon", "[1]", "h", ".nan", "nan", "inf",
                           ".inf", "1e300", "-5", "~", "true", "{a: 1}"}) {
    EXPECT_THAT(input_error([&] { read(text); }),
                HasSubstr("a time must be a number above 0 with a unit (s, m, h or d)"))
        << text;
  }
}

TEST(RunSettingsTest, ReadsJobsAndRetries) {
  const auto read = [](const std::string& text) { return read_run(parse_yaml("a.yaml", text)); };
  EXPECT_EQ(read("{jobs: 4, retries: {lost: 2, preempted: unlimited}}"),
            Json::parse(R"({"jobs": 4, "retries": {"lost": 2, "preempted": -1}})"));
  EXPECT_EQ(read("{jobs: auto, executor: local}"), Json({{"jobs", "auto"}, {"executor", "local"}}));
  EXPECT_THAT(input_error([&] { read("{jobs: 0}"); }),
              HasSubstr("run.jobs must be auto or a count of at least 1, found the number 0"));
  EXPECT_THAT(input_error([&] { read("{retries: {oom: many}}"); }),
              HasSubstr("retries must be a count or unlimited, found the string 'many'"));
  EXPECT_EQ(read("{jobs: 4.0}")["jobs"], 4);
  for (const char* jobs : {"5000000000", "-1", "1.5", "many", "[2]"}) {
    EXPECT_THAT(input_error([&] { read(std::string("{jobs: ") + jobs + "}"); }),
                HasSubstr("run.jobs must be auto or a count of at least 1"))
        << jobs;
  }
  EXPECT_THAT(input_error([&] { read("{retries: {oom: 5000000000}}"); }),
              HasSubstr("retries must be a count or unlimited"));
  EXPECT_THAT(input_error([&] { read("{job: 3}"); }),
              HasSubstr("unknown key 'job' in run, did you mean 'jobs'?"));
}

TEST(RunSettingsTest, ReadsTheMetric) {
  const auto read = [](const std::string& text) { return read_metric(parse_yaml("a.yaml", text)); };
  EXPECT_EQ(read("loss").name, "loss");
  EXPECT_EQ(read("loss").goal, "min") << "its own, unless given";
  EXPECT_EQ(read("{name: top1, goal: min, rule: last}").goal, "min");
  EXPECT_THAT(input_error([&] { read("{name: loss, goal: least}"); }),
              HasSubstr("unknown goal 'least'; known goals: max, min"));
  EXPECT_THAT(input_error([&] { read("{name: tpo1}"); }),
              HasSubstr("a.yaml:1:8: unknown metric 'tpo1', did you mean 'top1'?"));
  EXPECT_THAT(input_error([&] { read("{name: loss, rule: best}"); }),
              HasSubstr("a.yaml:1:20: the only rule is last, the value at the end of a run; found "
                        "the string 'best'"));
}

}  // namespace
}  // namespace qbitopt
