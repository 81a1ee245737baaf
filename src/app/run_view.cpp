#include "app/run_view.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>

#include "app/text.h"
#include "qbitopt/core/encoding.h"
#include "qbitopt/core/hash.h"
#include "qbitopt/job/budget_kinds.h"

namespace qbitopt::app {
namespace {

constexpr std::chrono::milliseconds kRedrawInterval{200};

size_t terminal_width() {
  winsize size{};
  const bool is_known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return is_known ? size.ws_col : 80;
}

// ": top-1 86.41, 3.00 weight bits, 3.00 activation bits, 65536 bytes, 21 s": both averages, and
// other quantities with a limit.
std::string describe(const Finished& finished) {
  std::string text;
  const auto top1 = finished.results.find("top1");
  if (top1 != finished.results.end()) text += fmt::format(", top-1 {:.2f}", top1->second);
  for (const BudgetState& budget : finished.budgets) {
    for (const BudgetKind& kind : budget_kinds()) {
      const bool is_of_one = kind.binds_weights != kind.binds_activations;
      if (kind.name != budget.group || !(budget.limit || (kind.is_average() && is_of_one)))
        continue;
      text += kind.is_average() ? fmt::format(", {:.2f} {} bits", budget.achieved, kind.name)
                                : ", " + kind.amount(budget.achieved);
    }
  }
  text += fmt::format(", {:.1f} s", finished.seconds);
  return ":" + text.substr(1);
}

}  // namespace

RunView::RunView(Console& console, ProgressBoard board, std::function<void()> tick, Failed failed)
    : console_(console),
      board_(std::move(board)),
      tick_(std::move(tick)),
      failed_(std::move(failed)) {}

RunView::~RunView() { erase(); }

void RunView::on_planned(const std::vector<PlannedJob>& jobs,
                         const std::vector<JobRecord>& records) {
  board_.add(jobs, records);
}

void RunView::on_started(const PlannedJob& job, const Attempt& attempt) {
  board_.started(job, ProgressBoard::Clock::now());
  if (console_.is_live()) return;
  const std::string again = attempt.number > 1 ? fmt::format(" (attempt {})", attempt.number) : "";
  const std::string resumed = attempt.resume_from.empty() ? "" : ", from its checkpoint";
  console_.say(
      fmt::format("{} {} {}{}{}", begins_, short_key(job.key), label(job), again, resumed));
}

void RunView::on_attached(const PlannedJob& job, const Attempt& attempt) {
  board_.started(job, ProgressBoard::Clock::now());
  if (!console_.is_live())
    console_.say(fmt::format("attached to {} {}", short_key(job.key), label(job)));
}

void RunView::on_events(const Attempt& attempt, const std::vector<Event>& events) {
  for (const Event& event : events) {
    if (const auto* progress = std::get_if<Progress>(&event.body))
      board_.progressed(attempt.job.key, *progress);
    if (const auto* finished = std::get_if<Finished>(&event.body))
      finished_[attempt.job.key] = *finished;
    if (const auto* note = std::get_if<Note>(&event.body)) tell(attempt.job.key, *note);
  }
}

void RunView::on_ended(const PlannedJob& job, const Attempt& attempt, const AttemptEnd& end,
                       bool will_retry) {
  const auto finished = finished_.find(job.key);
  const bool is_known = finished != finished_.end();
  board_.ended(job, end, will_retry,
               is_known ? std::optional(finished->second.seconds) : std::nullopt);
  const std::string who = fmt::format("{} {}", short_key(job.key), label(job));
  if (end.state == JobState::kFinished) {
    const std::string what = is_known ? describe(finished->second) : "";
    if (!console_.is_live()) {
      console_.say(fmt::format("finished {}/{} {}{}", board_.done(), board_.total(), who, what));
    }
  } else if (end.error_class == kCancelled) {
    say("cancelled " + who);
  } else if (end.state == JobState::kStopped) {
    say(fmt::format("stopped early {}: {}", who, end.text));
  } else if (!end.error_class.empty()) {
    const std::string log = shown(std::filesystem::path(attempt.folder) / "log.txt");
    error(fmt::format("job {} {}: {}: {}; log: {}{}", who, name(end.state), end.error_class,
                      end.text, log, will_retry ? "; it will be tried again" : ""));
  } else if (!console_.is_live()) {
    console_.say(fmt::format("interrupted {}{}", who, end.text.empty() ? "" : ": " + end.text));
  }
  if (is_known) finished_.erase(finished);
  const bool was_cancelled = end.error_class == kCancelled;
  if (end.state == JobState::kFailed && !will_retry && !was_cancelled) failed_(job, attempt, end);
}

void RunView::on_cancelled(const PlannedJob& job) {
  board_.cancelled(job);
  say(fmt::format("cancelled {} {}", short_key(job.key), label(job)));
}

void RunView::on_blocked(const PlannedJob& job) {
  board_.blocked(job);
  if (!console_.is_live())
    console_.say(fmt::format("blocked {} {}", short_key(job.key), label(job)));
}

void RunView::on_silence(const PlannedJob& job, const std::optional<Silence>& silence) {
  board_.silent(job.key, silence, ProgressBoard::Clock::now());
  const std::string who = fmt::format("job {} {}", short_key(job.key), label(job));
  if (!silence) return say(fmt::format("{}: reports again", who));
  if (silence->usual_seconds > 0) {
    erase();
    const std::string process = silence->pid == 0 ? "" : fmt::format(" (process {})", silence->pid);
    return console_.warn(fmt::format(
        "{}: stalled: no event for {}, where one came at least every {} before{}; --stall-timeout "
        "would kill its worker and try the job again",
        who, duration(silence->seconds), duration(silence->usual_seconds), process));
  }
  const std::string remedy =
      silence->is_stopped ? fmt::format("is stopped; `kill -CONT {}` continues it", silence->pid)
                          : fmt::format(
                                "neither reports nor uses the processor; `kill {0}` makes it write "
                                "a checkpoint, from which another worker continues the job, and "
                                "`kill -9 {0}` ends it without one",
                                silence->pid);
  erase();
  console_.warn(fmt::format("{}: no progress for {}: its worker, process {}, {}", who,
                            duration(silence->seconds), silence->pid, remedy));
}

void RunView::on_wait(const std::string& wait) {
  erase();
  console_.warn(wait);
}

void RunView::on_tick() {
  tick_();
  if (!console_.is_live() || console_.quiet()) return;
  if (ProgressBoard::Clock::now() - drawn_ >= kRedrawInterval) draw();
}

void RunView::say(const std::string& line) {
  erase();
  console_.say(line);
}

void RunView::tell(const std::string& key, const Note& note) {
  const std::string line = fmt::format("job {}: {}", short_key(key), note.text);
  erase();
  if (note.level != "warning") {
    console_.detail(line);
  } else if (warned_.insert(note.text).second) {  // shown once for many similar jobs
    console_.warn(line);
  }
}

void RunView::error(const std::string& line) {
  erase();
  console_.error(line);
}

void RunView::draw() {
  erase();
  drawn_ = ProgressBoard::Clock::now();
  std::string text;
  const auto lines = board_.lines(drawn_, terminal_width() - 1);
  for (const std::string& line : lines) text += printable(line) + "\n";
  std::fwrite(text.data(), 1, text.size(), stderr);
  drawn_lines_ = lines.size();
}

void RunView::erase() {
  if (drawn_lines_ > 0) std::fprintf(stderr, "\x1b[%zuA\x1b[J", drawn_lines_);
  drawn_lines_ = 0;
}

}  // namespace qbitopt::app
