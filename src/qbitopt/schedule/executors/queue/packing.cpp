#include "qbitopt/schedule/executors/queue/packing.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace qbitopt {
namespace {

constexpr int64_t kSpareMinutes = 10, kSpareMegabytes = 512;

}  // namespace

QueueShape queue_shape(const Job& job, int threads, const QueueSettings& settings) {
  QueueShape shape{threads, ""};
  if (job.parameters.value("device", Json("cpu")) == "cuda")
    shape.gpus = settings.gpus_per_job.empty() ? "1" : settings.gpus_per_job;
  return shape;
}

std::vector<AttemptPack> packed(std::vector<CollectedAttempt> attempts,
                                const QueueSettings& settings) {
  std::vector<AttemptPack> packs;
  double seconds = 0;  // of the last pack
  bool is_open = false;
  for (CollectedAttempt& each : attempts) {
    const double more = each.estimate.seconds.value_or(0);
    const bool fits = is_open && each.estimate.seconds && seconds + more <= settings.pack_seconds;
    if (!fits) {
      packs.emplace_back();
      seconds = 0;
    }
    is_open = each.estimate.seconds.has_value();
    seconds += more;
    packs.back().push_back(std::move(each));
  }
  return packs;
}

double pack_share(const CollectedAttempt& attempt, const QueueSettings& settings) {
  return std::min(1.0,
                  attempt.estimate.seconds.value_or(settings.pack_seconds) / settings.pack_seconds);
}

BatchNeeds needs_of(const QueueShape& shape, const std::vector<AttemptPack>& packs,
                    const QueueSettings& settings, const BatchSystem::Limits& limits) {
  BatchNeeds needs;
  needs.cpus = settings.cpus_per_job > 0 ? settings.cpus_per_job : shape.threads;
  needs.gpus = shape.gpus;
  double longest = 0;  // of the jobs, in seconds
  int64_t most_bytes = 0;
  bool knows_seconds = true, knows_bytes = true;
  for (const AttemptPack& pack : packs) {
    double sum = 0;
    for (const CollectedAttempt& each : pack) {
      sum += each.estimate.seconds.value_or(0);
      most_bytes = std::max(most_bytes, each.estimate.bytes.value_or(0));
      knows_seconds &= each.estimate.seconds.has_value();
      knows_bytes &= each.estimate.bytes.has_value();
    }
    longest = std::max(longest, sum);
  }
  if (knows_seconds)
    needs.minutes = static_cast<int64_t>(std::ceil(2 * longest / 60)) + kSpareMinutes;
  if (limits.minutes > 0) needs.minutes = std::min(needs.minutes, limits.minutes);
  if (settings.time_seconds > 0)
    needs.minutes = static_cast<int64_t>(std::ceil(settings.time_seconds / 60));
  needs.granted_minutes = needs.minutes > 0 ? needs.minutes : limits.default_minutes;
  if (knows_bytes) needs.megabytes = most_bytes * 3 / 2 / (1 << 20) + kSpareMegabytes;
  if (settings.memory_megabytes > 0) needs.megabytes = settings.memory_megabytes;
  return needs;
}

}  // namespace qbitopt
