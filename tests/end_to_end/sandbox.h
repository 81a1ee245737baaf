#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "qbitopt/core/json.h"
#include "qbitopt/schedule/executors/worker_process.h"

namespace qbitopt::testing {

struct Result {
  int exit_code = 0;  // 128 + signal if it was killed
  std::string out;
  std::string err;
};

// A folder of its own in which the `qbitopt` command is run as a person would, with the worker
// without tensors unless another is named.
class Sandbox : public ::testing::Test {
 protected:
  Sandbox();
  ~Sandbox() override;

  void write(const std::string& file, const std::string& content);
  std::string read(const std::string& file) const;
  // FAKE_WORKER, see fake_worker.cpp.
  void set_rules(const Json& rules) { environment_["FAKE_WORKER"] = rules.dump(); }

  // `arguments` as a shell reads them; `before`: shell commands in front, like "ulimit -f 8;".
  Result qbitopt(const std::string& arguments, const std::string& before = "") const;
  // The same, left alone; its output goes to background.out and background.err.
  std::unique_ptr<WorkerProcess> start_qbitopt(const std::string& arguments) const;
  Json json_of(const std::string& arguments) const;
  // Jobs of the database by what tells them apart: "method bits seed" -> row of `ls --json`.
  std::map<std::string, Json> jobs() const;
  size_t count(const std::string& state) const;

  static void wait_until(const std::function<bool()>& is_true, double seconds = 20);
  static bool is_alive(int64_t pid);

  std::filesystem::path folder_;
  std::map<std::string, std::string> environment_;

 private:
  std::string command(const std::string& arguments, const std::string& before,
                      const std::string& output) const;
};

}  // namespace qbitopt::testing
