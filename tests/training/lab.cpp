#include "training/lab.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "qbitopt/config/plugins.h"
#include "qbitopt/plugin/loader.h"
#include "qbitopt/sweep/sweep_file.h"

namespace qbitopt {
namespace {

constexpr const char* kRecipe = R"(qbitopt: 1
name: lab
set:
  model: resnet8
  data: {name: synthetic, image_size: 8, train_images: 128, validation_images: 32, test_images: 64}
  pretraining: {steps: 12, batch_size: 16, learning_rate: 0.05}
  training: {steps: 10, batch_size: 16, learning_rate: 0.01}
  calibration: {batches: 4, batch_size: 16}
  reallocation: {tau: 2}
  hessian_trace: {samples: 16, vectors: 2}
)";

const std::map<std::string, std::string> kArtifactFiles = {{"model", "model.pth"},
                                                           {"allocation", "allocation.json"}};

}  // namespace

const Catalog& whole_catalog() {
  static const Catalog catalog = catalog_with(plugins_in(
      std::filesystem::read_symlink("/proc/self/exe").parent_path() / "../lib/qbitopt/baselines"));
  return catalog;
}

Lab::Lab() {
  register_everything(registries_);
  for (const Manifest& manifest : whole_catalog().manifests()) {
    if (manifest.library.empty()) continue;
    load_plugin(manifest.library, manifest.name, registries_.methods);
  }
}

Attempt Lab::attempt(const std::string& settings, const std::string& needs) {
  // QBITOPT_TEST_DEVICE=cuda: the same tests on a GPU.
  const char* device = std::getenv("QBITOPT_TEST_DEVICE");
  const auto recipe = folder_.write(
      "recipe.yaml", kRecipe + std::string("  device: ") + (device ? device : "cpu") + "\n");
  const auto file =
      folder_.write("sweep.yaml", "qbitopt: 1\nname: lab\nextends: recipe.yaml\nset: " + settings +
                                      "\n" + (needs.empty() ? "" : "needs: " + needs + "\n"));
  const Plan plan = read_sweep(file, {}, whole_catalog());
  std::map<std::string, std::map<std::string, std::string>> artifacts;
  for (const PlannedJob& planned : plan.jobs) {
    const Job job = planned.job();
    Attempt attempt = prepare(job);
    for (const auto& [need, key] : job.needs) {
      attempt.inputs[need] =
          trained_.at(key).folder + "/" + kArtifactFiles.at(planned.artifacts().at(need));
    }
    if (planned.requested) return attempt;
    if (trained_.count(job.key)) continue;
    Recorder recorder;
    run(attempt, recorder);
    trained_[job.key] = attempt;
  }
  throw std::logic_error("the sweep asks for no job");
}

Attempt Lab::prepare(const Job& job) {
  Attempt attempt;
  attempt.job = job;
  attempt.folder = (folder_.path() / std::to_string(++attempts_)).string();
  std::filesystem::create_directories(attempt.folder);
  return attempt;
}

RunOutcome Lab::run(const Attempt& attempt, Recorder& recorder) const {
  return run_attempt(attempt, registries_, recorder, recorder.stop);
}

Recorder& Lab::train(const std::string& settings, const std::string& needs) {
  Recorder& recorder = new_recorder();
  run(attempt(settings, needs), recorder);
  return recorder;
}

InTwo Lab::train_in_two(const std::string& settings, int64_t stop_at, const std::string& needs) {
  Recorder &before = new_recorder(), &after = new_recorder(), &whole = new_recorder();
  before.stop_at_step = stop_at;
  const Attempt first = attempt(settings, needs);
  EXPECT_EQ(run(first, before), RunOutcome::kInterrupted);
  EXPECT_TRUE(before.all<Finished>().empty());
  Attempt second = attempt(settings, needs);
  second.resume_from = first.folder + "/checkpoint";
  EXPECT_EQ(run(second, after), RunOutcome::kFinished);
  EXPECT_EQ(after.resumed_from_step, stop_at);
  whole.events = before.events;
  whole.events.insert(whole.events.end(), after.events.begin(), after.events.end());
  return {before, after, whole};
}

Recorder& Lab::new_recorder() {
  recorders_.push_back(std::make_unique<Recorder>());
  return *recorders_.back();
}

}  // namespace qbitopt
