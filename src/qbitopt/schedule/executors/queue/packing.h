#pragma once

#include <compare>
#include <string>
#include <vector>

#include "qbitopt/schedule/executors/executor.h"
#include "qbitopt/schedule/executors/queue/batch_system.h"
#include "qbitopt/sweep/queue_settings.h"

namespace qbitopt {

// What a job of the queue is like; jobs of one shape go into one array.
struct QueueShape {
  int threads = 1;
  std::string gpus;  // as QueueSettings::gpus_per_job; empty: none
  auto operator<=>(const QueueShape&) const = default;
};
QueueShape queue_shape(const Job& job, int threads, const QueueSettings& settings);

// An attempt that waits to be submitted with others.
struct CollectedAttempt {
  std::string key;     // of its job
  std::string folder;  // of the attempt
  QueueShape shape;
  JobEstimate estimate;
};
// The attempts of one job of the queue, which follow each other.
using AttemptPack = std::vector<CollectedAttempt>;

// Puts attempts into jobs in their order, as many into each as take settings.pack_seconds together.
// An attempt whose time is not known has a job of its own.
std::vector<AttemptPack> packed(std::vector<CollectedAttempt> attempts,
                                const QueueSettings& settings);
// Which part of a job of the queue an attempt takes, about, once others are collected; at most 1.
double pack_share(const CollectedAttempt& attempt, const QueueSettings& settings);

// What each of the jobs needs: what the settings say, else twice the time and one and a half times
// the memory that the estimates say for the largest, and some to spare, but no more time than the
// queue allows.
BatchNeeds needs_of(const QueueShape& shape, const std::vector<AttemptPack>& packs,
                    const QueueSettings& settings, const BatchSystem::Limits& limits);

}  // namespace qbitopt
