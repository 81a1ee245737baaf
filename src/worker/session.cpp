#include "worker/session.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

#include "qbitopt/core/error.h"
#include "qbitopt/core/file_lock.h"
#include "qbitopt/job/spool.h"
#include "qbitopt/plugin/loader.h"
#include "qbitopt/training/recipe.h"
#include "worker/environment.h"

namespace qbitopt::worker {
namespace {

namespace fs = std::filesystem;

// Sends this process's stderr to a file while it lives.
class StderrTo {
 public:
  explicit StderrTo(const fs::path& file) : saved_(::dup(STDERR_FILENO)) {
    const int log = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (log < 0) return;
    ::dup2(log, STDERR_FILENO);
    ::close(log);
  }
  ~StderrTo() {
    std::fflush(stderr);
    ::dup2(saved_, STDERR_FILENO);
    ::close(saved_);
  }
  StderrTo(const StderrTo&) = delete;
  StderrTo& operator=(const StderrTo&) = delete;

 private:
  int saved_;
};

void log(const std::string& text) {
  const auto now =
      std::chrono::time_point_cast<std::chrono::seconds>(std::chrono::system_clock::now());
  // Not fmt::print, which throws if the disk is full; the spool will report that.
  std::fputs(fmt::format("{:%F %T} {}\n", now, text).c_str(), stderr);
}

// "cuda:3" if this process sees GPU 3 alone, which it calls 0.
std::string device_text(const std::string& device) {
  const char* visible = std::getenv("CUDA_VISIBLE_DEVICES");
  if (device != "cuda" || visible == nullptr || *visible == 0) return device;
  return std::strchr(visible, ',') == nullptr ? "cuda:" + std::string(visible) : device;
}

// Writes every event to the spool, and those of interest to users also to the log.
class Narrator : public TrainingObserver {
 public:
  Narrator(const Attempt& attempt, SpoolWriter& spool) : attempt_(attempt), spool_(spool) {}

  void on_start(int64_t resumed_from_step) override {
    const Parameters parameters(attempt_.job.parameters);
    const std::string device = device_text(parameters.get<std::string>("device"));
    const int threads = optimization_parameters(parameters).get<int>("threads");
    spool_.append(
        Started{host_name(), ::getpid(), device, threads, environment(), resumed_from_step});
    log(fmt::format("job {}, attempt {}, from step {}: {}", attempt_.job.key, attempt_.number,
                    resumed_from_step, attempt_.job.parameters.dump()));
  }

  void on_event(EventBody event) override {
    std::visit([this](const auto& body) { say(body); }, event);
    spool_.append(std::move(event));
  }

 private:
  template <typename Body>
  void say(const Body&) {}
  void say(const Note& note) { log(note.level + ": " + note.text); }
  void say(const Metrics& metrics) {
    std::string text = fmt::format("step {}, {}:", metrics.step, metrics.split);
    for (const auto& [name, value] : metrics.values) text += fmt::format(" {} {:.5g}", name, value);
    log(text);
  }
  void say(const Reallocation& allocation) {
    std::string text = fmt::format("step {}, bits ({}", allocation.step, allocation.status);
    if (allocation.gap) text += fmt::format(", gap {:.2g}", *allocation.gap);
    text += "):";
    for (const int bits : allocation.bits) text += fmt::format(" {}", bits);
    log(text);
  }
  void say(const Finished& finished) {
    log(fmt::format("finished after {:.1f} s", finished.seconds));
  }

  const Attempt& attempt_;
  SpoolWriter& spool_;
};

Failed describe_failure() {
  try {
    throw;
  } catch (const InputError& error) {
    return {"input", error.what()};
  } catch (const JobError& error) {
    return {error.error_class(), error.what()};
  } catch (const std::bad_alloc& error) {
    return {"out_of_memory", error.what()};
  } catch (const c10::OutOfMemoryError& error) {
    return {"out_of_memory", error.what_without_backtrace()};
  } catch (const c10::Error& error) {
    log(error.what());
    const std::string text = error.what_without_backtrace();
    const bool is_memory = text.find("not enough memory") != std::string::npos;
    return {is_memory ? "out_of_memory" : "internal", text};
  } catch (const std::exception& error) {
    return {"internal", error.what()};
  } catch (...) {
    return {"internal", "an exception that is not a std::exception was thrown"};
  }
}

void report_failure(const Failed& failure, const fs::path& spool_file) {
  log(failure.error_class + ": " + failure.text);
  SpoolWriter spool(spool_file);
  spool.append(failure);
  spool.sync();
}

// Throws if the folder cannot be written.
Result work_in_folder(const Attempt& attempt, const std::atomic<bool>& stop) {
  const fs::path folder = attempt.folder;
  const auto lock = FileLock::try_lock(folder / "lock");
  if (!lock) std::_Exit(99);
  const StderrTo redirected(folder / "log.txt");
  try {
    SpoolWriter spool(folder / "events.jsonl");
    Narrator narrator(attempt, spool);
    Registries registries;
    register_everything(registries);
    const Parameters parameters(attempt.job.parameters);
    if (parameters.has("plugin")) {
      load_plugin(parameters.get<std::string>("plugin"), parameters.get<std::string>("method"),
                  registries.methods);
    }
    const RunOutcome outcome = run_attempt(attempt, registries, narrator, stop);
    spool.sync();
    if (outcome == RunOutcome::kInterrupted) log("interrupted: a checkpoint was written");
    return outcome == RunOutcome::kFinished ? Result::kFinished : Result::kInterrupted;
  } catch (...) {
    report_failure(describe_failure(), folder / "events.jsonl");
    return Result::kFailed;
  }
}

}  // namespace

Result work_on(const Attempt& attempt, const std::atomic<bool>& stop) {
  try {
    return work_in_folder(attempt, stop);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return Result::kFailed;
  }
}

}  // namespace qbitopt::worker
