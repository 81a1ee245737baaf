#include "qbitopt/sweep/run_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/errors.h"
#include "qbitopt/sweep/queue_settings.h"
#include "qbitopt/sweep/stop_rule.h"

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
  EXPECT_EQ(read("{stall_timeout: 10m}"), Json({{"stall_seconds", 600.0}}));
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

TEST(RunSettingsTest, ReadsWhenHopelessRunsAreStopped) {
  const auto read = [](const std::string& text) { return read_stop(parse_yaml("a.yaml", text)); };
  const StopRule usual = read("{}");
  EXPECT_EQ(usual.metric, "loss");
  EXPECT_TRUE(usual.is_better_smaller);
  const StopRule rule = read("{metric: validation_top1, after: 0.5, rule: median, peers: 7}");
  EXPECT_EQ(rule.metric, "top1");
  EXPECT_FALSE(rule.is_better_smaller);
  EXPECT_EQ(rule.after, 0.5);
  EXPECT_EQ(rule.peers, 7);
  const std::pair<const char*, const char*> mistakes[] = {
      {"{metric: top1}",
       "stop.metric must be validation_loss or validation_top1, found the string"},
      {"{after: 1}", "stop.after must be a share of the steps, at least 0 and below 1"},
      {"{rule: third}", "stop.rule must be median or halving, found the string 'third'"},
      {"{rule: halving, after: 0}", "stop.after must be a share of the steps, above 0 and below 1"},
      {"{rule: halving, reduction_factor: 1}", "stop.reduction_factor must be above 1"},
      {"{reduction_factor: 3}", "stop.reduction_factor belongs to 'rule: halving'"},
      {"{peers: 0}", "stop.peers must be a count of at least 1"},
      {"{peer: 3}", "unknown key 'peer' in stop, did you mean 'peers'?"},
  };
  for (const auto& [text, error] : mistakes)
    EXPECT_THAT(input_error([&, wrong = text] { read(wrong); }), HasSubstr(error)) << text;
}

TEST(RunSettingsTest, ReadsHowAQueueIsUsed) {
  const auto read = [](const std::string& text) { return read_run(parse_yaml("a.yaml", text)); };
  const Json slurm = read(
      "{executor: slurm, slurm: {partition: gpu, time: 2h, memory: 16G, gpus_per_job: 2, options: "
      "[--exclusive, --mail-type=END], launch: 'apptainer exec --nv a.sif {worker}'}}")["slurm"];
  const QueueSettings settings = queue_settings(slurm);
  EXPECT_EQ(settings.partition, "gpu");
  EXPECT_EQ(settings.time_seconds, 7200);
  EXPECT_EQ(settings.memory_megabytes, 16384);
  EXPECT_EQ(settings.gpus_per_job, "2");
  EXPECT_EQ(settings.options, (std::vector<std::string>{"--exclusive", "--mail-type=END"}));
  EXPECT_EQ(settings.poll_seconds, 30) << "not said";
  EXPECT_EQ(settings.grace_seconds, 90);
  const Json command =
      read(R"({command: {submit: "qsub {script}", status: "qstat {id}", cancel: "qdel {id}"}})");
  EXPECT_EQ(queue_settings(command["command"]).status, "qstat {id}");
}

TEST(RunSettingsTest, WhatAQueueCannotUseIsNamed) {
  const auto error = [](const std::string& text) {
    return input_error([&] { read_run(parse_yaml("a.yaml", text)); });
  };
  EXPECT_THAT(error("{slurm: {partitoin: gpu}}"),
              HasSubstr("a.yaml:1:10: unknown key 'partitoin' in run.slurm, did you mean "
                        "'partition'?; known keys: partition, account, qos, "));
  EXPECT_THAT(error("{slurm: {submit: qsub}}"), HasSubstr("unknown key 'submit' in run.slurm"));
  EXPECT_THAT(
      error("{slurm: {memory: much}}"),
      HasSubstr("run.slurm.memory must be a size like 900M, 16G or 1T, found the string 'much'"));
  EXPECT_THAT(
      error("{slurm: {cpus_per_job: 0}}"),
      HasSubstr("run.slurm.cpus_per_job must be a count of at least 1, found the number 0"));
  EXPECT_THAT(error("{slurm: {partition: \"a\\nb\"}}"),
              HasSubstr("run.slurm.partition must be a single line"));
  EXPECT_THAT(error("{slurm: gpu}"), HasSubstr("run.slurm"));
  EXPECT_THAT(error("{command: {submit: 'qsub {script}', cancel: 'qdel {id}'}}"),
              HasSubstr("run.command has no 'status': the executor `command` needs submit, status "
                        "and cancel, as in submit: \"qsub {script}\""));
  EXPECT_THAT(error("{command: {submit: qsub, status: qstat, cancel: 'qdel {id}'}}"),
              HasSubstr("run.command.submit must contain {script}"));
  EXPECT_THAT(error("{command: {id: '(', submit: 'qsub {script}', status: q, cancel: 'q {id}'}}"),
              HasSubstr("run.command.id must be a regular expression"));
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
