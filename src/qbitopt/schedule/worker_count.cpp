#include "qbitopt/schedule/worker_count.h"

#include <fmt/format.h>

#include <algorithm>

namespace qbitopt {
namespace {

// Of a training step; nullopt: the event is about something else.
std::optional<int64_t> step_of(const Event& event) {
  if (const auto* metrics = std::get_if<Metrics>(&event.body); metrics && metrics->split == "train")
    return metrics->step;
  if (const auto* progress = std::get_if<Progress>(&event.body);
      progress && progress->phase == "train")
    return progress->step;
  return std::nullopt;
}

}  // namespace

WorkerCount::WorkerCount(int most, WorkerCountOptions options) : options_(options) {
  for (const int count : {(most + 1) / 2, (3 * most + 3) / 4, most}) {
    if (counts_.empty() || counts_.back() < count) counts_.push_back(count);
  }
  limit_ = counts_.front();
}

void WorkerCount::set_running(int workers, double unix_seconds) {
  if (running_ == workers) return;
  running_ = workers;
  changed_at_ = unix_seconds;
}

void WorkerCount::hear(const std::string& key, const std::string& kind, const Event& event) {
  if (stage_ == counts_.size()) return;
  const std::optional<int64_t> step = step_of(event);
  if (!step) {
    last_.erase(key);  // between two steps was something else: an evaluation, a choice of bits
    return;
  }
  const auto [last, is_first] = last_.try_emplace(key, *step, event.unix_seconds);
  const auto [last_step, last_time] =
      std::exchange(last->second, std::pair(*step, event.unix_seconds));
  if (is_first || last_time < changed_at_ || *step < last_step) return;
  Sample& sample = samples_[running_][kind];
  sample.steps += *step - last_step;
  sample.seconds += event.unix_seconds - last_time;
  if (running_ == limit_ && is_enough(limit_, sample)) advance();
}

void WorkerCount::hear_end(const std::string& key) {
  last_.erase(key);
  if (stage_ < counts_.size() && ++ended_ > 2 * limit_) advance();
}

bool WorkerCount::is_enough(int workers, const Sample& sample) const {
  return sample.steps >= options_.steps * workers && sample.seconds >= options_.seconds * workers;
}

double WorkerCount::speed(int workers, const std::string& kind) const {
  const auto samples = samples_.find(workers);
  if (samples == samples_.end()) return 0;
  const auto sample = samples->second.find(kind);
  if (sample == samples->second.end() || !is_enough(workers, sample->second)) return 0;
  return workers * static_cast<double>(sample->second.steps) / sample->second.seconds;
}

void WorkerCount::advance() {
  ended_ = 0;
  if (++stage_ < counts_.size()) {
    limit_ = counts_[stage_];
  } else {
    decide();
  }
}

void WorkerCount::decide() {
  const int most = counts_.back();
  for (const auto& [kind, sample] : samples_[most]) {
    const double reference = speed(most, kind);
    if (reference == 0) continue;
    std::string speeds;
    double best = options_.least_gain * reference;
    int measured = 0;
    for (const int count : counts_) {
      const double found = speed(count, kind);
      if (found == 0) continue;
      ++measured;
      speeds += fmt::format("{}{:.3g} with {}", speeds.empty() ? "" : ", ", found, count);
      if (found <= best || count == most) continue;
      best = found;
      limit_ = count;
    }
    if (measured < 2) continue;
    decision_ = fmt::format("{} jobs at a time{}: training steps per second, all together: {}",
                            limit_, limit_ < most ? ", which is faster than more" : "", speeds);
    return;
  }
}

}  // namespace qbitopt
