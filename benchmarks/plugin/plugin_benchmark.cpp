// What does it cost that a method is a plugin? One method (src/baselines/template), compiled in and
// loaded from its .so, take their training steps in turn. The claim: the same time per step within
// 1%.
//
//   plugin_benchmark [rounds]

#include <algorithm>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "baselines/template/template.h"
#include "benchmarks/report.h"
#include "qbitopt/config/plugins.h"
#include "qbitopt/plugin/loader.h"
#include "qbitopt/sweep/sweep_file.h"
#include "qbitopt/training/trainer.h"

namespace qbitopt {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSweep = R"(qbitopt: 1
name: plugin_benchmark
set:
  method: template
  model: mobilenet_v2_tiny
  data: {name: synthetic, image_size: 28, train_images: 2048, validation_images: 64, test_images: 64}
  pretraining: {steps: 1}
  training: {steps: 48, batch_size: 4}
  calibration: {batches: 1}
  budget.average_bits: 3
)";

// Two runs that take their steps in turn, as the machine's speed drifts from second to second.
class Relay {
 public:
  void wait(int runner) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return turn_ == runner || has_left_[1 - runner]; });
  }
  void pass(int runner) {
    const std::scoped_lock lock(mutex_);
    turn_ = 1 - runner;
    changed_.notify_all();
  }
  void leave(int runner) {
    const std::scoped_lock lock(mutex_);
    has_left_[runner] = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int turn_ = 0;
  bool has_left_[2] = {false, false};
};

// Times the steps of one runner. So short a run reports every step.
class Stopwatch : public TrainingObserver {
 public:
  Stopwatch(Relay& relay, int runner) : relay_(relay), runner_(runner) {}

  void on_event(EventBody event) override {
    const auto* metrics = std::get_if<Metrics>(&event);
    if (metrics == nullptr || metrics->split != "train") return;
    const std::chrono::duration<double, std::milli> step = Clock::now() - begun_;
    if (has_begun_) milliseconds.push_back(step.count());
    relay_.pass(runner_);
    relay_.wait(runner_);
    has_begun_ = true;
    begun_ = Clock::now();
  }

  std::vector<double> milliseconds;  // of each step but the first

 private:
  using Clock = std::chrono::steady_clock;
  Relay& relay_;
  int runner_;
  bool has_begun_ = false;
  Clock::time_point begun_;
};

Attempt make_attempt(const fs::path& folder, const fs::path& plugin) {
  std::ofstream(folder / "sweep.yaml") << kSweep;
  const Plan plan = read_sweep(folder / "sweep.yaml", {}, catalog_with({plugin}));
  Attempt attempt;
  for (const PlannedJob& job : plan.jobs) {
    if (job.requested) attempt.job = job.job();
  }
  attempt.folder = folder.string();
  return attempt;
}

// Milliseconds of each step of the same job with two sets of parts.
std::pair<std::vector<double>, std::vector<double>> run_in_turn(const Attempt& attempt,
                                                                const Registries& first,
                                                                const Registries& second) {
  Relay relay;
  Stopwatch stopwatches[] = {{relay, 0}, {relay, 1}};
  const std::atomic<bool> stop{false};
  const auto run = [&](int runner, const Registries& registries) {
    relay.wait(runner);
    run_attempt(attempt, registries, stopwatches[runner], stop);
    relay.leave(runner);
  };
  std::thread other(run, 1, std::cref(second));
  run(0, first);
  other.join();
  return {stopwatches[0].milliseconds, stopwatches[1].milliseconds};
}

void run(int rounds) {
  const fs::path plugin = fs::read_symlink("/proc/self/exe").parent_path().parent_path() /
                          "lib/qbitopt/baselines/template.so";
  const fs::path folder = fs::temp_directory_path() / "qbitopt_plugin_benchmark";
  fs::create_directories(folder);
  const Attempt attempt = make_attempt(folder, plugin);
  Registries built_in, loaded;
  register_everything(built_in);
  register_everything(loaded);
  built_in.methods.add("template", [](const Parameters& parameters) {
    return std::make_unique<template_baseline::Template>(parameters);
  });
  load_plugin(plugin.string(), "template", loaded.methods);

  std::vector<double> of_built_in, of_plugin, ratios;
  for (int round = 0; round < rounds; ++round) {
    // Once each goes first, as the second of two steps finds other caches and another thread.
    double ratio = 1;
    for (const bool plugin_first : {false, true}) {
      auto [first, second] = plugin_first ? run_in_turn(attempt, loaded, built_in)
                                          : run_in_turn(attempt, built_in, loaded);
      if (plugin_first) std::swap(first, second);
      std::vector<double> of_steps;
      for (size_t i = 0; i < first.size(); ++i) of_steps.push_back(second[i] / first[i]);
      ratio *= std::sqrt(bench::summarize(of_steps).median);
      of_built_in.push_back(bench::summarize(first).median);
      of_plugin.push_back(bench::summarize(second).median);
    }
    ratios.push_back(ratio);
  }
  fs::remove_all(folder);
  const auto reference = bench::summarize(of_built_in), value = bench::summarize(of_plugin);
  const auto ratio = bench::summarize(ratios);
  const std::string text = "mobilenet_v2_tiny, batch 4, 1 thread";
  bench::Report report("plugin");
  report.add({.name = "step, built in",
              .case_ = text,
              .value = reference.median,
              .unit = "ms",
              .rounds = rounds,
              .spread = reference.spread});
  report.add({.name = "step, plugin",
              .case_ = text,
              .value = value.median,
              .unit = "ms",
              .reference = "step, built in",
              .ratio = ratio.median,
              .rounds = rounds,
              .spread = value.spread});
  report.add({.name = "plugin / built in",
              .case_ = text,
              .value = ratio.median,
              .unit = "1",
              .rounds = rounds,
              .spread = ratio.spread});
  // 95% interval of the median, from its order statistics.
  std::sort(ratios.begin(), ratios.end());
  for (const double sign : {-1.0, 1.0}) {
    const double place = 0.5 * (rounds - 1) + sign * 0.98 * std::sqrt(rounds);
    report.add(
        {.name = sign < 0 ? "its 95% interval: from" : "its 95% interval: to",
         .case_ = text,
         .value = ratios.at(static_cast<size_t>(std::clamp(std::round(place), 0.0, rounds - 1.0))),
         .unit = "1",
         .rounds = rounds});
  }
  report.finish();
}

}  // namespace
}  // namespace qbitopt

int main(int argc, char** argv) { qbitopt::run(argc > 1 ? std::atoi(argv[1]) : 40); }
