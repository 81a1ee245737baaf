#include "qbitopt/runlog/expected_seconds.h"

#include <algorithm>

namespace qbitopt {
namespace {

constexpr const char* kKind[] = {"method", "model", "data.name", "data.image_size", "device"};

std::string kind_of(const Job& job) {
  Json kind = Json::array();
  for (const char* name : kKind) kind.push_back(job.parameters.value(name, Json("")));
  return kind.dump();
}

}  // namespace

ExpectedSeconds::ExpectedSeconds(const Reader& reader) {
  const auto take = [&](const std::vector<Json>& row) {
    Sums& kind = by_kind_[row[1].get<std::string>()];
    Sums& configuration = by_configuration_[row[0].get<std::string>()];
    const auto number = [&](size_t column) {
      return row[column].is_null() ? 0 : row[column].get<double>();
    };
    for (Sums* sums : {&configuration, &kind}) {
      sums->seconds += number(2);
      sums->jobs += number(3);
      sums->other_seconds += number(4);
      sums->other_jobs += number(5);
      sums->train_seconds += number(6);
      sums->images += number(7);
      sums->most_bytes = std::max<double>(sums->most_bytes, number(8));
    }
  };
  reader.for_each(R"(
    SELECT
      job.config_key,
      json_array(coalesce(json_extract(parameters, '$.method'), ''),
                 coalesce(json_extract(parameters, '$.model'), ''),
                 coalesce(json_extract(parameters, '$."data.name"'), ''),
                 coalesce(json_extract(parameters, '$."data.image_size"'), ''),
                 coalesce(json_extract(parameters, '$.device'), '')) AS kind,
      sum(attempt.seconds),
      count(attempt.seconds),
      sum(attempt.seconds - attempt.train_seconds),
      count(attempt.seconds - attempt.train_seconds),
      sum(attempt.train_seconds),
      sum(attempt.steps * coalesce(json_extract(parameters, '$."training.batch_size"'),
                                   json_extract(parameters, '$."pretraining.batch_size"'))),
      max(attempt.peak_memory_bytes)
    FROM job JOIN attempt ON attempt.id = job.attempt_id
    WHERE attempt.state = 'finished'
    GROUP BY job.config_key, kind)",
                  [](const std::vector<std::string>&) {}, take);
}

std::optional<double> ExpectedSeconds::of(const Job& job, std::optional<int64_t> images) const {
  if (const auto same = by_configuration_.find(job.config_key);
      same != by_configuration_.end() && same->second.jobs > 0)
    return same->second.seconds / same->second.jobs;
  const auto similar = by_kind_.find(kind_of(job));
  if (similar == by_kind_.end()) return std::nullopt;
  const Sums& sums = similar->second;
  if (!images) return sums.jobs > 0 ? std::optional(sums.seconds / sums.jobs) : std::nullopt;
  if (sums.other_jobs == 0 || sums.images == 0) return std::nullopt;
  return sums.other_seconds / sums.other_jobs +
         static_cast<double>(*images) * sums.train_seconds / sums.images;
}

std::optional<int64_t> ExpectedSeconds::memory_bytes_of(const Job& job) const {
  auto found = by_configuration_.find(job.config_key);
  if (found == by_configuration_.end()) {
    found = by_kind_.find(kind_of(job));
    if (found == by_kind_.end()) return std::nullopt;
  }
  const double bytes = found->second.most_bytes;
  return bytes > 0 ? std::optional(static_cast<int64_t>(bytes)) : std::nullopt;
}

}  // namespace qbitopt
