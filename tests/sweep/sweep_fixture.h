#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "config/test_manifests.h"
#include "core/errors.h"
#include "core/temporary_folder.h"
#include "qbitopt/sweep/sweep_file.h"

namespace qbitopt {

// Sweep files as texts, read against the small catalog.
class SweepTest : public ::testing::Test {
 protected:
  // Reads "sweeps/sweep.yaml" with this text.
  Plan read(const std::string& text, const std::vector<std::string>& overrides = {}) {
    return read_sweep(folder_.write("sweeps/sweep.yaml", text), overrides, small_catalog());
  }

  // The error that comes instead, without the folder's name in it; empty if none comes.
  std::string error(const std::string& text, const std::vector<std::string>& overrides = {}) {
    return without_folder(input_error([&] { read(text, overrides); }));
  }

  std::string without_folder(std::string message) const {
    const std::string path = folder_.path().string() + "/";
    for (size_t at = message.find(path); at != std::string::npos; at = message.find(path)) {
      message.erase(at, path.size());
    }
    return message;
  }

  std::vector<std::string> warnings(const Plan& plan) const {
    std::vector<std::string> warnings;
    for (const std::string& warning : plan.warnings) warnings.push_back(without_folder(warning));
    return warnings;
  }

  static size_t requested(const Plan& plan) {
    return static_cast<size_t>(std::count_if(plan.jobs.begin(), plan.jobs.end(),
                                             [](const PlannedJob& job) { return job.requested; }));
  }

  // A parameter of the requested jobs, in order; null where it is absent.
  static std::vector<Json> values(const Plan& plan, const std::string& key) {
    std::vector<Json> values;
    for (const PlannedJob& planned : plan.jobs) {
      if (planned.requested) values.push_back(planned.job().parameters.value(key, Json()));
    }
    return values;
  }

  TemporaryFolder folder_;
};

}  // namespace qbitopt
