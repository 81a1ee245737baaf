#include "end_to_end/sandbox.h"

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <thread>

#include "qbitopt/core/processes.h"
#include "qbitopt/core/text_file.h"

namespace qbitopt::testing {
namespace {

namespace fs = std::filesystem;

std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? "'\\''" : std::string(1, c);
  return out + "'";
}

std::string content_of(const fs::path& file) { return fs::exists(file) ? read_bytes(file) : ""; }

}  // namespace

Sandbox::Sandbox() {
  std::string folder = fs::path(::testing::TempDir()) / "qbitopt-XXXXXX";
  if (mkdtemp(folder.data()) == nullptr) throw std::runtime_error("cannot make " + folder);
  folder_ = folder;
  environment_["QBITOPT_WORKER"] = QBITOPT_FAKE_WORKER;
}

Sandbox::~Sandbox() {
  if (HasFailure()) {
    std::cerr << "its files: " << folder_ << "\n";
  } else {
    fs::remove_all(folder_);
  }
}

void Sandbox::write(const std::string& file, const std::string& content) {
  fs::create_directories((folder_ / file).parent_path());
  std::ofstream(folder_ / file) << content;
}

std::string Sandbox::read(const std::string& file) const { return content_of(folder_ / file); }

std::string Sandbox::command(const std::string& arguments, const std::string& before,
                             const std::string& output) const {
  std::string text = "cd " + quoted(folder_.string()) + " && " + before;
  for (const auto& [name, value] : environment_)
    text += " export " + name + "=" + quoted(value) + ";";
  return text + " exec " + quoted(QBITOPT_PROGRAM) + " " + arguments + " >" + output + ".out 2>" +
         output + ".err";
}

Result Sandbox::qbitopt(const std::string& arguments, const std::string& before) const {
  const int status = std::system(command(arguments, before, "foreground").c_str());
  return {WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status),
          read("foreground.out"), read("foreground.err")};
}

std::unique_ptr<WorkerProcess> Sandbox::start_qbitopt(const std::string& arguments) const {
  return std::make_unique<WorkerProcess>(
      WorkerProcess::Options{{"/bin/sh", "-c", command(arguments, "", "background")}, {}, -1});
}

Json Sandbox::json_of(const std::string& arguments) const {
  const Result result = qbitopt(arguments + " --json");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  return Json::parse(result.out, nullptr, /*allow_exceptions=*/false);
}

std::map<std::string, Json> Sandbox::jobs() const {
  std::map<std::string, Json> jobs;
  for (const Json& job : json_of("ls")) {
    jobs[job["method"].dump() + " " + job["bits"].dump() + " " + job["seed"].dump()] = job;
  }
  return jobs;
}

size_t Sandbox::count(const std::string& state) const {
  if (!fs::exists(folder_ / "results/qbitopt.db")) return 0;
  const Result result = qbitopt("ls --json --state " + state);
  return result.exit_code == 0 ? Json::parse(result.out).size() : 0;
}

void Sandbox::wait_until(const std::function<bool()>& is_true, double seconds) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  seconds *= 10;  // programs take so much longer
#endif
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  while (!is_true()) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "waited in vain";
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

bool Sandbox::is_alive(int64_t pid) { return process_status(static_cast<int>(pid)).has_value(); }

}  // namespace qbitopt::testing
