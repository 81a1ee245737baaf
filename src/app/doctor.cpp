// qbitopt doctor: checks everything that a sweep needs.
#include <fmt/format.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "app/execute.h"
#include "app/exit_codes.h"
#include "app/places.h"
#include "app/text.h"
#include "app/verbs.h"
#include "app/worker_verb.h"
#include "qbitopt/config/catalog.h"
#include "qbitopt/core/error.h"
#include "qbitopt/runlog/reader.h"
#include "qbitopt/schedule/executors/cores.h"
#include "qbitopt/schedule/executors/gpus.h"
#include "qbitopt/schedule/executors/worker_process.h"
#include "qbitopt/sweep/fingerprint.h"

namespace qbitopt::app {
namespace {

namespace fs = std::filesystem;

struct Finding {
  std::string what;
  bool is_good = true;
  bool is_needed = true;
  std::string text;
};

// Starts the worker without a job: it must load its libraries and exit at the end of its input.
Finding check_worker() {
  const fs::path program = worker_program();
  if (!fs::exists(program)) {
    return {"worker", false, true,
            fmt::format("{} is missing; build the target qbitopt_worker", program.string())};
  }
  const auto begun = std::chrono::steady_clock::now();
  WorkerProcess worker({{program.string()}, {}, -1});
  worker.close_input();
  const auto elapsed = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  };
  while (!worker.try_reap() && elapsed() < 30)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  const auto status = worker.try_reap();
  if (!status)
    return {"worker", false, true, program.string() + " does not exit at the end of its input"};
  if (*status != 0)
    return {"worker", false, true, program.string() + " does not start: " + worker.last_words()};
  return {"worker", true, true,
          fmt::format("{}, starts in {:.0f} ms", program.string(), 1000 * elapsed())};
}

Finding check_gpus() {
  const size_t count = available_gpus().size();
  return {"gpu", kSeesGpus && count > 0, false,
          fmt::format("{} NVIDIA GPU{}{}", count, count == 1 ? "" : "s",
                      kSeesGpus ? "" : ", but LibTorch is a build for the CPU")};
}

Finding check_data(const Manifest& data) {
  const std::string what = "data " + data.name;
  std::string root;
  int64_t classes = 0;
  for (const ParameterSpec& parameter : data.parameters) {
    if (parameter.name == "data.root" && parameter.default_value.is_string())
      root = parameter.default_value;
    if (parameter.name == "data.classes" && parameter.default_value.is_number_integer())
      classes = parameter.default_value;
  }
  if (data.layout.empty() && data.contents.empty())
    return {what, true, false, "synthetic, needs no files"};
  if (root.empty()) return {what, true, false, "read from the file that data.root names"};
  try {
    DataFingerprints().of(data, root, classes);
    return {what, true, false, root};
  } catch (const InputError& error) {
    return {what, false, false, error.what()};
  }
}

Finding check_database(const fs::path& file) {
  if (!fs::exists(file)) return {"database", true, true, file.string() + " (does not exist yet)"};
  try {
    const Rows count = Reader(file).query("SELECT count(*) AS jobs FROM runs");
    return {"database", true, true,
            fmt::format("{}, {} jobs", file.string(), plain(count.at(0, "jobs")))};
  } catch (const std::exception& error) {
    return {"database", false, true, error.what()};
  }
}

Finding check_room(const fs::path& database) {
  fs::path folder = fs::absolute(database).parent_path();
  while (!fs::exists(folder)) folder = folder.parent_path();
  const double gigabytes = static_cast<double>(fs::space(folder).available) / 1e9;
  return {"disk", gigabytes > 0.5, true,
          fmt::format("{:.1f} GB free in {}", gigabytes, folder.string())};
}

std::vector<Finding> examine(const fs::path& database) {
  std::vector<Finding> findings = {
      {"version", true, true, QBITOPT_VERSION},
      {"machine", true, true, fmt::format("{}, {} cores", host_name(), available_cores())},
      check_worker(),
      check_gpus()};
  for (const std::string& name : builtin_catalog().names("data")) {
    findings.push_back(check_data(builtin_catalog().get("data", name)));
  }
  findings.push_back(check_database(database));
  findings.push_back(check_room(database));
  return findings;
}

}  // namespace

int doctor(const Invocation& invocation) {
  const auto& words = invocation.arguments;
  if (std::find(words.begin(), words.end(), "--data") != words.end()) {
    std::vector<std::string> arguments = {"examine"};
    arguments.insert(arguments.end(), words.begin(), words.end());
    become_worker(std::move(arguments));  // the worker can decode images
  }
  CommandLine line(
      "doctor [options]",
      "Checks the worker, libraries, data, database and disk space for a sweep.\n"
      "With --data FOLDER [--classes N] [--threads N], counts and decodes the images of a\n"
      "folder with ImageNet's layout instead.");
  line.add_database();
  line.add_json();
  if (!line.parse(invocation)) return kGood;
  bool all_good = true;
  Json json = Json::array();
  std::vector<std::vector<std::string>> rows = {{"what", "state", ""}};
  for (const Finding& finding : examine(line.database())) {
    all_good &= finding.is_good || !finding.is_needed;
    json.push_back({{"what", finding.what},
                    {"good", finding.is_good},
                    {"needed", finding.is_needed},
                    {"text", finding.text}});
    rows.push_back({finding.what,
                    finding.is_good     ? "ok"
                    : finding.is_needed ? "MISSING"
                                        : "absent",
                    finding.text});
  }
  if (line.json()) {
    invocation.console.print_json(json);
  } else {
    invocation.console.print(columns(rows));
  }
  return all_good ? kGood : kUsage;
}

}  // namespace qbitopt::app
