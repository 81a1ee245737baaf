#include "qbitopt/schedule/verdict.h"

#include <fmt/format.h>

#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace qbitopt {
namespace {

// Last line of the attempt's log with text in it.
std::string last_line_of_log(const std::string& folder) {
  std::ifstream log(std::filesystem::path(folder) / "log.txt", std::ios::ate);
  if (!log) return "";
  const auto size = static_cast<int64_t>(log.tellg());
  log.seekg(std::max<int64_t>(0, size - 4096));
  std::string last;
  for (std::string line; std::getline(log, line);) {
    if (line.find_first_not_of(" \t\r") != std::string::npos) last = line;
  }
  return last;
}

bool is_gone(const std::string& folder) {
  std::error_code ignored;
  return !folder.empty() && !std::filesystem::exists(folder, ignored);
}

std::string last_words(const Evidence& evidence, const Outcome& outcome) {
  return outcome.last_words.empty() ? last_line_of_log(evidence.folder) : outcome.last_words;
}

AttemptEnd died_of(int signal) {
  const bool was_killed =
      signal == SIGKILL || signal == SIGTERM || signal == SIGINT || signal == SIGHUP;
  return {JobState::kFailed, 0, signal, was_killed ? "lost" : "crashed",
          fmt::format("the worker was killed by signal {} ({})", signal, ::strsignal(signal))};
}

AttemptEnd failed(const std::string& error_class, const std::string& text) {
  return {JobState::kFailed, 0, 0, error_class, text};
}

AttemptEnd interrupted(const std::string& error_class = "", const std::string& text = "") {
  return {JobState::kInterrupted, 0, 0, error_class, text};
}

}  // namespace

AttemptEnd cancelled() {
  return failed(kCancelled, "cancelled by the user; `qbitopt retry` runs it again");
}

namespace {

AttemptEnd judge_without_exit_status(const Evidence& evidence, const Outcome& outcome) {
  if (evidence.is_finished) return {};
  if (evidence.failed) return failed(evidence.failed->error_class, evidence.failed->text);
  // Comes first, because the driver stops a worker whose events it cannot read.
  if (!evidence.spool_error.empty()) {
    return evidence.is_adopted ? interrupted("", evidence.spool_error)
                               : failed("spool", evidence.spool_error);
  }
  if (evidence.timeout_seconds > 0) {
    return failed("timeout", fmt::format("exceeded the time limit of {:g} s (run.timeout)",
                                         evidence.timeout_seconds));
  }
  if (evidence.stall_seconds > 0) {
    return failed("stalled", fmt::format("sent no event for {:g} s (run.stall_timeout)",
                                         evidence.stall_seconds));
  }
  if (evidence.is_cancelled) return cancelled();
  if (!evidence.hopeless.empty()) return {JobState::kStopped, 0, 0, kStopped, evidence.hopeless};
  if (evidence.asked_to_stop) return interrupted();
  if (outcome.loss) {
    const auto& [error_class, text] = *outcome.loss;
    const bool is_nobodys =
        error_class.empty() || error_class == "preempted" || error_class == kForgotten;
    return is_nobodys ? interrupted(error_class, text) : failed(error_class, text);
  }
  if (outcome.reported == "interrupted") {
    return interrupted("preempted", outcome.ran_out_of_time
                                        ? "the time limit of its job was near"
                                        : "the worker was asked to stop, but not by this driver");
  }
  if (is_gone(evidence.folder) && !evidence.is_adopted) {
    return failed("lost", evidence.folder + " is missing: the attempt's folder was deleted");
  }
  // A worker that cannot write to its folder reports why on stderr.
  if (outcome.reported == "failed") return failed("folder", last_words(evidence, outcome));
  if (outcome.reported == "finished") {
    return failed("internal",
                  "the worker reported that it finished, but its spool has no such event");
  }
  if (evidence.is_adopted) return interrupted("", "the driver that started it has ended");
  if (outcome.signal) return died_of(*outcome.signal);
  return failed("crashed",
                fmt::format("the worker ended with exit status {}: {}",
                            outcome.exit_code.value_or(0), last_words(evidence, outcome)));
}

}  // namespace

bool is_disk_full(const std::string& text) {
  return text.find(std::strerror(ENOSPC)) != std::string::npos ||
         text.find(std::strerror(EDQUOT)) != std::string::npos ||
         text.find(std::strerror(EFBIG)) != std::string::npos;
}

AttemptEnd judge(const Evidence& evidence, const Outcome& outcome) {
  AttemptEnd end = judge_without_exit_status(evidence, outcome);
  if (end.state == JobState::kFailed &&
      (end.error_class == "disk_full" || is_disk_full(end.text))) {
    end.state = JobState::kInterrupted;
    // A disk that was full during an earlier run does not stop this one.
    end.error_class = evidence.is_adopted ? "" : "disk_full";
  }
  end.exit_code = outcome.exit_code.value_or(0);
  end.signal = outcome.signal.value_or(0);
  return end;
}

void Evidence::note_step(const Event& event) {
  if (const auto* started = std::get_if<Started>(&event.body))
    first_step = last_step = started->resumed_from_step;
  if (const auto* metrics = std::get_if<Metrics>(&event.body))
    last_step = std::max(last_step, metrics->step);
  if (const auto* progress = std::get_if<Progress>(&event.body))
    last_step = std::max(last_step, progress->step);
}

bool has_progressed(const Evidence& evidence) {
  std::error_code ignored;
  return evidence.last_step > evidence.first_step &&
         std::filesystem::exists(std::filesystem::path(evidence.folder) / "checkpoint", ignored);
}

bool may_resume(const JobRecord& record) {
  return record.state == JobState::kInterrupted || record.error_class == "lost" ||
         record.error_class == "timeout" || record.error_class == "stalled" ||
         record.error_class == kCancelled || record.error_class == kStopped;
}

}  // namespace qbitopt
