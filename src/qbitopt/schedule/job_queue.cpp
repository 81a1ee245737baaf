#include "qbitopt/schedule/job_queue.h"

#include <algorithm>

#include "qbitopt/core/error.h"
#include "qbitopt/core/hash.h"

namespace qbitopt {

int threads_of(const Job& job) {
  for (const char* name : {"training.threads", "pretraining.threads"}) {
    const auto found = job.parameters.find(name);
    if (found != job.parameters.end() && found->is_number()) return found->get<int>();
  }
  return 1;
}

JobQueue::JobQueue(const Plan& plan, const std::vector<JobRecord>& records) {
  add(plan.jobs, records);
}

void JobQueue::add(const std::vector<PlannedJob>& jobs, const std::vector<JobRecord>& records) {
  const size_t first = entries_.size();
  entries_.resize(first + jobs.size());
  for (size_t i = 0; i < jobs.size(); ++i) {
    index_.emplace(jobs[i].key, first + i);
    Entry& entry = entries_[first + i];
    if (records[i].state == JobState::kFinished) entry.status = Status::kFinished;
    if (records[i].state == JobState::kFailed || records[i].state == JobState::kStopped)
      entry.status = Status::kFailed;
    if (records[i].state == JobState::kRunning) entry.status = Status::kTaken;
  }
  for (size_t i = 0; i < jobs.size(); ++i) {
    Entry& entry = entries_[first + i];
    if (entry.status == Status::kFinished) continue;
    entry.threads = threads_of(jobs[i].job());
    for (const auto& [need, key] : *jobs[i].needs) {
      const auto needed = index_.find(key);
      if (needed == index_.end() || needed->second == first + i) {
        throw InputError("job " + short_key(jobs[i].key) + " needs job " + short_key(key) + " (" +
                         need + "), which is not in the plan");
      }
      if (entries_[needed->second].status == Status::kFinished) continue;
      entries_[needed->second].waiting.push_back(first + i);
      ++entry.missing;
    }
  }
  for (size_t job = 0; job < entries_.size(); ++job) {
    std::vector<size_t> blocked;
    if (entries_[job].status == Status::kFailed) block_waiting(job, blocked);
  }
  for (size_t job = first; job < entries_.size(); ++job) {
    if (entries_[job].status == Status::kWaiting && entries_[job].missing == 0) make_ready(job);
  }
}

JobQueue::Rank JobQueue::rank(size_t job) const {
  return {entries_[job].waiting.empty(), -entries_[job].threads, job};
}

void JobQueue::make_ready(size_t job) {
  entries_[job].status = Status::kReady;
  ready_.insert(rank(job));
}

std::optional<size_t> JobQueue::take(const std::function<bool(size_t)>& fits) {
  int too_wide = 0;  // once a width does not fit, neither does a larger one
  for (auto candidate = ready_.begin(); candidate != ready_.end();) {
    const auto [nobody_waits, minus_threads, job] = *candidate;
    if (fits(job)) {
      ready_.erase(candidate);
      entries_[job].status = Status::kTaken;
      return job;
    }
    if (!nobody_waits) return std::nullopt;
    too_wide = -minus_threads;
    candidate = ready_.lower_bound({true, -too_wide + 1, 0});
  }
  return std::nullopt;
}

void JobQueue::put_back(size_t job) {
  entries_[job].status = Status::kWaiting;
  if (entries_[job].missing == 0) make_ready(job);
}

void JobQueue::finish(size_t job) {
  entries_[job].status = Status::kFinished;
  for (const size_t waiting : entries_[job].waiting) {
    if (--entries_[waiting].missing == 0 && entries_[waiting].status == Status::kWaiting) {
      make_ready(waiting);
    }
  }
}

std::vector<size_t> JobQueue::fail(size_t job) {
  // The rank changes when a new job needs this one.
  if (entries_[job].status == Status::kReady && ready_.erase(rank(job)) == 0)
    std::erase_if(ready_, [&](const Rank& ready) { return std::get<size_t>(ready) == job; });
  entries_[job].status = Status::kFailed;
  std::vector<size_t> blocked;
  block_waiting(job, blocked);
  return blocked;
}

void JobQueue::block_waiting(size_t job, std::vector<size_t>& blocked) {
  for (const size_t waiting : entries_[job].waiting) {
    if (entries_[waiting].status != Status::kWaiting) continue;
    entries_[waiting].status = Status::kBlocked;
    blocked.push_back(waiting);
    block_waiting(waiting, blocked);
  }
}

size_t JobQueue::count(Status status) const {
  return static_cast<size_t>(
      std::count_if(entries_.begin(), entries_.end(),
                    [&](const Entry& entry) { return entry.status == status; }));
}

}  // namespace qbitopt
