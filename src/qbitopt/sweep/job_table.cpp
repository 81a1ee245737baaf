#include "qbitopt/sweep/job_table.h"

#include "qbitopt/core/hash.h"

namespace qbitopt {

size_t JobTable::add_requested(const Shape& shape, const Point& point,
                               const std::vector<size_t>& needs, const std::string& case_name) {
  std::string key = key_of(shape, point, needs, /*with_seed=*/true);
  const auto [entry, is_new] = index_.try_emplace(key, jobs_.size());
  if (is_new) {
    jobs_.push_back(make(shape, point, needs, std::move(key)));
    jobs_.back().case_name = case_name;
    return entry->second;
  }
  PlannedJob& job = jobs_[entry->second];
  if (job.requested) return entry->second;
  // So far it was only needed: now it has its place in the grid.
  job = make(shape, point, needs, std::move(key));
  job.case_name = case_name;
  return entry->second;
}

size_t JobTable::add_needed(const Shape& shape, const Point& point,
                            const std::vector<size_t>& needs) {
  std::string key = key_of(shape, point, needs, /*with_seed=*/true);
  const auto [entry, is_new] = index_.try_emplace(key, jobs_.size());
  if (is_new) {
    jobs_.push_back(make(shape, point, needs, std::move(key)));
    jobs_.back().requested = false;
  }
  return entry->second;
}

// See identity_text(): the same bytes, put together from pieces.
std::string JobTable::key_of(const Shape& shape, const Point& point,
                             const std::vector<size_t>& needs, bool with_seed) {
  buffer_ = shape.frame.head;
  buffer_ += '{';
  for (size_t i = 0; i < needs.size(); ++i) {
    const PlannedJob& needed = jobs_[needs[i]];
    if (i > 0) buffer_ += ',';
    buffer_ += '"';
    buffer_ += shape.needs[i].name;
    buffer_ += "\":\"";
    buffer_ += with_seed || shape.needs[i].says_seed ? needed.key : needed.config_key;
    buffer_ += '"';
  }
  buffer_ += '}';
  buffer_ += shape.frame.middle;
  const size_t start = buffer_.size();
  for (const Slot& slot : shape.slots) {
    if (!with_seed && slot.name == "seed") continue;
    buffer_ += slot.fragments[slot.row(point)];
  }
  if (buffer_.size() == start) buffer_ += ',';
  buffer_[start] = '{';
  buffer_ += '}';
  buffer_ += shape.frame.tail;
  return sha256(buffer_);
}

PlannedJob JobTable::make(const Shape& shape, const Point& point, const std::vector<size_t>& needs,
                          std::string key) {
  PlannedJob job;
  job.key = std::move(key);
  job.config_key = key_of(shape, point, needs, /*with_seed=*/false);
  for (size_t i = 0; i < needs.size(); ++i) job.needs[shape.needs[i].name] = jobs_[needs[i]].key;
  job.shape = shape.shared;
  for (const Slot* slot : shape.varying) job.values.push_back(slot->values[slot->row(point)]);
  return job;
}

}  // namespace qbitopt
