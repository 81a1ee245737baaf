#include "app/progress_board.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/text.h"
#include "qbitopt/core/hash.h"

namespace qbitopt::app {
namespace {

constexpr size_t kMostListedJobs = 40;

double seconds_between(ProgressBoard::Clock::time_point from, ProgressBoard::Clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

double fraction(const Progress& progress) {
  if (progress.total_steps <= 0) return 0;
  return std::clamp(static_cast<double>(progress.step) / static_cast<double>(progress.total_steps),
                    0.0, 1.0);
}

// "train 120/400  loss 0.432  top-1 85.21  3.00 bits", as far as known.
std::string describe(const Progress& progress) {
  std::string text = progress.phase.empty() ? "starting" : progress.phase;
  if (progress.total_steps > 0) text += fmt::format(" {}/{}", progress.step, progress.total_steps);
  if (progress.loss != 0) text += fmt::format("  loss {:.3f}", progress.loss);
  if (progress.top1 != 0) text += fmt::format("  top-1 {:.2f}", progress.top1);
  if (progress.average_bits != 0) text += fmt::format("  {:.2f} bits", progress.average_bits);
  return text;
}

}  // namespace

ProgressBoard::ProgressBoard(const Plan& plan, const std::vector<JobRecord>& records,
                             Options options)
    : options_(std::move(options)), begun_(Clock::now()) {
  add(plan.jobs, records);
}

void ProgressBoard::add(const std::vector<PlannedJob>& jobs,
                        const std::vector<JobRecord>& records) {
  total_ += jobs.size();
  for (size_t i = 0; i < jobs.size(); ++i) {
    if (records[i].state == JobState::kFinished) ++finished_;
    if (records[i].state == JobState::kFailed) ++failed_;
    if (records[i].state == JobState::kStopped) ++stopped_;
    if (records[i].state == JobState::kFinished || records[i].state == JobState::kFailed ||
        records[i].state == JobState::kStopped)
      continue;
    const Job job = jobs[i].job();
    const auto [kind, is_new] = kinds_.try_emplace(kind_of(job));
    ++kind->second.waiting;
    if (!is_new) continue;
    kind->second.share = options_.share(threads_of(job));
    kind->second.seconds = options_.expected_seconds(job);
  }
}

std::string ProgressBoard::kind_of(const Job& job) {
  std::string kind;
  for (const char* name : {"method", "model", "data.name"})
    kind += plain(job.parameters.value(name, Json())) + "/";
  return kind;
}

void ProgressBoard::started(const PlannedJob& job, Clock::time_point now) {
  const std::string kind = kind_of(job.job());
  --kinds_[kind].waiting;
  running_[job.key] = {label(job), kind, now, {}};
}

void ProgressBoard::progressed(const std::string& key, const Progress& progress) {
  const auto found = running_.find(key);
  if (found != running_.end()) found->second.progress = progress;
}

void ProgressBoard::silent(const std::string& key, const std::optional<Silence>& silence,
                           Clock::time_point now) {
  const auto found = running_.find(key);
  if (found == running_.end()) return;
  found->second.silence = silence;
  if (!silence) return;
  found->second.silent_since = now - std::chrono::duration_cast<Clock::duration>(
                                         std::chrono::duration<double>(silence->seconds));
}

void ProgressBoard::ended(const PlannedJob& job, const AttemptEnd& end, bool will_retry,
                          std::optional<double> seconds) {
  running_.erase(job.key);
  Kind& kind = kinds_[kind_of(job.job())];
  if (end.state == JobState::kFinished) {
    ++finished_;
    ++finished_now_;
    if (seconds) {  // this run's measurements replace earlier ones
      const double sum = kind.seconds.value_or(0) * kind.measured + *seconds;
      kind.seconds = sum / ++kind.measured;
    }
  } else if (end.state == JobState::kFailed && !will_retry) {
    ++failed_;
  } else if (end.state == JobState::kStopped) {
    ++stopped_;
  } else {
    ++kind.waiting;
  }
}

void ProgressBoard::cancelled(const PlannedJob& job) {
  ++failed_;
  --kinds_[kind_of(job.job())].waiting;
}

void ProgressBoard::blocked(const PlannedJob& job) {
  ++blocked_;
  --kinds_[kind_of(job.job())].waiting;
}

std::optional<double> ProgressBoard::seconds_of(const Kind& kind) const {
  if (kind.seconds) return kind.seconds;
  double sum = 0;
  int count = 0;
  for (const auto& [name, other] : kinds_) {
    if (!other.seconds) continue;
    sum += *other.seconds;
    ++count;
  }
  return count > 0 ? std::optional(sum / count) : std::nullopt;
}

std::optional<double> ProgressBoard::seconds_left(Clock::time_point now) const {
  double work = 0;  // seconds times the fraction of the executor that they take
  double longest = 0;
  for (const auto& [name, kind] : kinds_) {
    if (kind.share <= 0) return std::nullopt;
    if (kind.waiting == 0) continue;
    const auto seconds = seconds_of(kind);
    if (!seconds) return std::nullopt;
    work += *seconds * kind.share * static_cast<double>(kind.waiting);
  }
  for (const auto& [key, job] : running_) {
    const Kind& kind = kinds_.at(job.kind);
    const double elapsed = seconds_between(job.since, now);
    const double done = fraction(job.progress);
    std::optional<double> seconds = seconds_of(kind);
    if (!seconds && done > 0.05) seconds = elapsed / done;
    if (!seconds) return std::nullopt;
    const double left = done > 0 ? *seconds * (1 - done) : std::max(0.0, *seconds - elapsed);
    work += left * kind.share;
    longest = std::max(longest, left);
  }
  return std::max(work, longest);
}

std::string ProgressBoard::overall(size_t queued, Clock::time_point now) const {
  std::string text = fmt::format("{}/{} done", done(), total_);
  if (failed_ > 0) text += fmt::format(", {} failed", failed_);
  if (stopped_ > 0) text += fmt::format(", {} stopped early", stopped_);
  if (blocked_ > 0) text += fmt::format(", {} blocked", blocked_);
  text += fmt::format(", {} running", running_.size() - queued);
  if (queued > 0) text += fmt::format(", {} queued", queued);
  const double elapsed = seconds_between(begun_, now);
  if (finished_now_ > 0 && elapsed > 0) {
    const double per_minute = 60 * static_cast<double>(finished_now_) / elapsed;
    text += per_minute >= 10 ? fmt::format(", {:.0f} jobs/min", per_minute)
                             : fmt::format(", {:.1f} jobs/min", per_minute);
  }
  if (const auto left = seconds_left(now)) text += ", " + duration(*left) + " left";
  return text;
}

std::string ProgressBoard::line_of(const std::string& key, const Running& job,
                                   Clock::time_point now) {
  std::string text = fmt::format("{}  {}  ", short_key(key), job.label);
  if (job.silence) {  // comes first because the line may be cut
    const std::string since = duration(seconds_between(job.silent_since, now));
    text += job.silence->usual_seconds > 0
                ? fmt::format("STALLED for {}  ", since)
                : fmt::format("NO PROGRESS for {}, process {}{}  ", since, job.silence->pid,
                              job.silence->is_stopped ? " is stopped" : "");
  }
  return text +
         fmt::format("{}  {}", describe(job.progress), duration(seconds_between(job.since, now)));
}

std::vector<std::string> ProgressBoard::lines(Clock::time_point now, size_t width) const {
  std::vector<std::string> lines;
  std::map<std::string, size_t> waiting;  // state -> jobs
  size_t queued = 0;
  size_t unlisted = 0;
  for (const auto& [key, job] : running_) {
    const std::string state = job.progress.phase.empty() ? options_.state_of(key) : "";
    if (!state.empty()) {
      ++waiting[state];
      ++queued;
    } else if (lines.size() < kMostListedJobs) {
      lines.push_back(line_of(key, job, now));
    } else {
      ++unlisted;
    }
  }
  if (unlisted > 0) lines.push_back(fmt::format("and {} more", unlisted));
  for (const auto& [state, count] : waiting)
    lines.push_back(fmt::format("{} job{} {}", count, count == 1 ? "" : "s", state));
  lines.push_back(overall(queued, now));
  for (std::string& line : lines) {
    size_t end = std::min(width, line.size());
    // do not cut within a character
    while (end > 0 && end < line.size() && (line[end] & 0xC0) == 0x80) --end;
    line.resize(end);
  }
  return lines;
}

}  // namespace qbitopt::app
