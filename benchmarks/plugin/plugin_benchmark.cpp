// What does it cost that a method is a plugin? One method (src/baselines/template), compiled in and
// loaded from its .so, trains the same steps in turn. The claim: the same time per step within 1%.
// Of each run the fastest step counts: what else the machine does only ever makes a step slower.
//
//   plugin_benchmark [rounds]

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <optional>

#include "baselines/template/template.h"
#include "benchmarks/report.h"
#include "qbitopt/plugin/loader.h"
#include "qbitopt/sweep/plugins.h"
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
  training: {steps: 24, batch_size: 16}
  calibration: {batches: 1}
  budget.average_bits: 3
)";

// So short a run reports every step.
class Stopwatch : public TrainingObserver {
 public:
  void on_event(EventBody event) override {
    if (!std::holds_alternative<Metrics>(event)) return;
    const auto now = std::chrono::steady_clock::now();
    if (last_) {
      fastest = std::min(fastest, std::chrono::duration<double, std::milli>(now - *last_).count());
    }
    last_ = now;
  }
  double fastest = std::numeric_limits<double>::infinity();  // step, in milliseconds

 private:
  std::optional<std::chrono::steady_clock::time_point> last_;
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

  const std::atomic<bool> stop{false};
  const auto step = [&](const Registries& registries) {
    Stopwatch stopwatch;
    run_attempt(attempt, registries, stopwatch, stop);
    return stopwatch.fastest;
  };
  std::vector<double> of_built_in, of_plugin, ratios;
  for (int round = -1; round < rounds; ++round) {  // one before the first warms up
    // Who goes first changes, as the second run of a round finds other caches.
    double first = step(round % 2 == 0 ? built_in : loaded);
    double second = step(round % 2 == 0 ? loaded : built_in);
    if (round % 2 != 0) std::swap(first, second);
    if (round < 0) continue;
    of_built_in.push_back(first);
    of_plugin.push_back(second);
    ratios.push_back(second / first);
  }
  fs::remove_all(folder);
  const auto reference = bench::summarize(of_built_in), value = bench::summarize(of_plugin);
  const auto ratio = bench::summarize(ratios);  // within a round, where the machine is the same
  const std::string text = "mobilenet_v2_tiny, batch 16, 1 thread; fastest of 24 steps";
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
  report.add({.name = "plugin / built in, by round",
              .case_ = text,
              .value = ratio.median,
              .unit = "1",
              .rounds = rounds,
              .spread = ratio.spread});
  report.finish();
}

}  // namespace
}  // namespace qbitopt

int main(int argc, char** argv) { qbitopt::run(argc > 1 ? std::atoi(argv[1]) : 40); }
