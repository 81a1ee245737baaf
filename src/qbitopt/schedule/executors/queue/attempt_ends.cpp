#include "qbitopt/schedule/executors/queue/attempt_ends.h"

#include <fmt/format.h>

#include <csignal>
#include <cstdlib>
#include <utility>
#include <vector>

#include "qbitopt/schedule/executors/queue/files.h"

namespace qbitopt {
namespace {

namespace fs = std::filesystem;

constexpr int kFirstSignal = 128;  // exit status of a shell's command that died of signal 0

// `text`: what the script left, "0", or "0 USR1" after a signal.
Outcome outcome_of_exit(const std::string& key, const fs::path& folder, const std::string& text) {
  Outcome outcome{key};
  const int status = std::atoi(text.c_str());
  outcome.ran_out_of_time = text.ends_with(" USR1");
  const int signal = status - kFirstSignal;
  const bool has_begun = is_there(folder / "events.jsonl");
  if ((status == 0 && has_begun) || signal == SIGUSR1 || signal == SIGTERM) {
    outcome.reported = "interrupted";  // or finished: then its spool says so
    outcome.exit_code = 0;
  } else if (signal > 0 && signal < NSIG) {
    outcome.signal = signal;
  } else {
    outcome.exit_code = status;
    if (status == 1) outcome.reported = "failed";
  }
  outcome.last_words = last_line_of(folder / "worker.txt");
  return outcome;
}

// What a job printed last; empty if that is not known.
std::string words_of(const fs::path& output) {
  constexpr size_t kMost = 200;
  const std::string words = last_line_of(output);
  return words.empty() ? "" : fmt::format("; its last words: {}", words.substr(0, kMost));
}

bool is_timeout(const std::string& explanation) { return explanation.rfind("TIMEOUT", 0) == 0; }

std::string class_of(const std::string& explanation) {
  if (explanation.rfind("OUT_OF_ME", 0) == 0) return "out_of_memory";
  if (explanation.rfind("PREEMPTED", 0) == 0 || is_timeout(explanation)) return "preempted";
  return "lost";
}

}  // namespace

void AttemptEnds::hear_end(const std::string& key) {
  const QueuedAttempts::Place* place = queued_.place(key);
  if (place == nullptr) return;
  place->queue_task().has_begun = true;
  queued_.end(key, Outcome{key});
}

void AttemptEnds::look() {
  for (Submission& submission : queued_.submissions()) {
    if (!submission.is_submitted()) continue;
    for (size_t task = 0; task < submission.tasks.size(); ++task) {
      if (!submission.tasks[task].row.is_pending) look_at(submission, task);
    }
  }
}

void AttemptEnds::look_at(Submission& submission, size_t task) {
  QueueTask& looked_at = submission.tasks[task];
  if (looked_at.open.empty()) return;
  for (const std::string& key : std::vector(looked_at.open)) {
    const std::string folder = queued_.place(key)->folder;
    const std::string status = first_line_of(fs::path(folder) / "exit");
    if (status.empty()) continue;
    looked_at.has_begun = true;
    queued_.end(key, outcome_of_exit(key, folder, status));
  }
  if (looked_at.open.empty() || looked_at.absences < kAnswersUntilAbsent) return;
  const bool has_waited =
      QueueClock::now() - looked_at.absent_since >= queue_duration(settings_.grace_seconds);
  if (has_waited || looked_at.wanted) give_up(submission, task);
}

// Asks for it the first time.
bool AttemptEnds::waits_for_explanation(Submission& submission, size_t task) {
  QueueTask& gone = submission.tasks[task];
  const std::string command = system_.explain(submission.place(task));
  if (!gone.explanation.empty() || gone.wanted || gone.is_explained || command.empty())
    return false;
  if (std::exchange(gone.is_explanation_asked, true)) return true;  // it will come, or time out
  calls_.add(command, [this, name = submission.batch.name, task](const CallResult& answer) {
    Submission* asked = queued_.find(name);
    if (asked == nullptr) return;
    asked->tasks[task].explanation = system_.explanation(answer);
    asked->tasks[task].is_explained = true;
    has_heard_ = true;
  });
  return true;
}

void AttemptEnds::give_up(Submission& submission, size_t task) {
  QueueTask& gone = submission.tasks[task];
  if (waits_for_explanation(submission, task)) return;
  std::vector<std::string> begun, others;
  for (const std::string& key : gone.open) {
    const fs::path folder = queued_.place(key)->folder;
    list_folder(folder);
    if (is_there(folder / "exit")) return look_at(submission, task);  // late
    const bool has_begun = is_there(folder / "events.jsonl") || is_there(folder / "worker.txt");
    (has_begun ? begun : others).push_back(key);
  }
  const QueuePlace place = submission.place(task);
  const fs::path batch = submission.batch.folder;
  const std::string job = fmt::format("job {} of {}", system_.id_of(place), system_.name());
  const bool is_started = is_there(batch / fmt::format("started.{}", task));
  // One that came to nothing counts as a try of its first attempt.
  if (is_started && begun.empty() && !gone.has_begun) {
    begun.push_back(others.front());
    others.erase(others.begin());
  }
  const bool has_begun = gone.has_begun || !begun.empty();
  const Loss loss = has_begun || !gone.explanation.empty()
                        ? Loss{class_of(gone.explanation),
                               job + " is gone from the queue" +
                                   (gone.explanation.empty() ? "" : ": " + gone.explanation) +
                                   words_of(batch / fmt::format("output.{}.txt", task))}
                        : Loss{kForgotten, job + " is gone from the queue, and never began"};
  // In case the queue is wrong.
  if (!gone.wanted) calls_.add(system_.cancel({place}, false), [](const CallResult&) {});
  const auto lose = [&](const std::string& key, const Loss& how) {
    Outcome outcome{key};
    outcome.loss = how;
    outcome.ran_out_of_time = is_timeout(gone.explanation);
    queued_.end(key, std::move(outcome));
  };
  for (const std::string& key : begun) lose(key, loss);
  for (const std::string& key : others)
    lose(key, has_begun ? Loss{"", job + " ended before its turn came"} : loss);
}

}  // namespace qbitopt
