#include "qbitopt/sweep/job_table.h"

#include <algorithm>
#include <cstring>

#include "qbitopt/core/hash.h"

namespace qbitopt {

size_t JobTable::KeyHash::operator()(std::string_view key) const {
  uint64_t digits = 0;
  std::memcpy(&digits, key.data(), std::min(sizeof digits, key.size()));
  return std::hash<uint64_t>()(digits);
}

void JobTable::expect(size_t jobs) {
  const size_t all = jobs_.size() + jobs;
  if (all < 2 * jobs_.capacity()) return;  // growing by little, again and again, would take long
  jobs_.reserve(all);
  index_.reserve(all);
}

size_t JobTable::add_requested(const Shape& shape, const Point& point,
                               const std::vector<size_t>& needs, const std::string& case_name) {
  const size_t count = jobs_.size();
  const size_t index = add(shape, point, needs);
  PlannedJob& job = jobs_[index];
  if (index < count) {
    if (job.requested) {
      auto& others = job.other_cases;
      if (!case_name.empty() && job.case_name != case_name &&
          std::find(others.begin(), others.end(), case_name) == others.end())
        others.push_back(case_name);
      return index;
    }
    job = make(shape, point, needs,
               std::move(job.key));  // so far only needed or tried: now it stands in the grid
  }
  job.case_name = case_name;
  ++requested_;
  return index;
}

size_t JobTable::add_trial(const Shape& shape, const Point& point, const std::vector<size_t>& needs,
                           const std::string& case_name, int trial) {
  const size_t count = jobs_.size();
  const size_t index = add(shape, point, needs);
  if (index < count && jobs_[index].requested) return index;
  jobs_[index].requested = false;
  jobs_[index].case_name = case_name;
  jobs_[index].trial = trial;
  return index;
}

size_t JobTable::add_needed(const Shape& shape, const Point& point,
                            const std::vector<size_t>& needs) {
  const size_t count = jobs_.size();
  const size_t index = add(shape, point, needs);
  if (index == count) jobs_[index].requested = false;
  return index;
}

size_t JobTable::add(const Shape& shape, const Point& point, const std::vector<size_t>& needs) {
  write_identity(shape, point, needs, /*with_seed=*/true);
  std::string key = sha256(text_);
  if (const auto known = index_.find(key); known != index_.end()) return known->second;
  jobs_.push_back(make(shape, point, needs, std::move(key)));
  index_.emplace(jobs_.back().key, jobs_.size() - 1);
  return jobs_.size() - 1;
}

// See identity_text(): the same bytes, put together from fragments.
void JobTable::write_identity(const Shape& shape, const Point& point,
                              const std::vector<size_t>& needs, bool with_seed) {
  text_ = shape.frame.head;
  text_ += '{';
  for (size_t i = 0; i < needs.size(); ++i) {
    const PlannedJob& needed = jobs_[needs[i]];
    text_.append(i == 0 ? "\"" : ",\"").append(shape.needs[i].name).append("\":\"");
    text_.append(with_seed || shape.needs[i].says_seed ? needed.key : *needed.config_key)
        .append("\"");
  }
  text_.append("}").append(shape.frame.middle);
  const size_t start = text_.size();
  for (const auto& [constant, slot] : shape.identity) {
    text_ += constant;
    if (slot && (with_seed || slot != shape.seed)) text_ += slot->fragments[slot->row(point)];
  }
  if (text_.size() == start) text_ += ',';
  text_[start] = '{';
  text_.append("}").append(shape.frame.tail);
}

const Shared<std::string>& JobTable::config_key(const Shape& shape, const Point& point,
                                                const std::vector<size_t>& needs) {
  write_identity(shape, point, needs, /*with_seed=*/false);
  if (text_ != config_text_) {
    config_key_ = sha256(text_);
    std::swap(text_, config_text_);
  }
  return config_key_;
}

const Shared<std::map<std::string, std::string>>& JobTable::keys_of(
    const Shape& shape, const std::vector<size_t>& needs) {
  const auto [entry, is_new] = keys_of_needs_.try_emplace({shape.shared, needs});
  if (is_new) {
    std::map<std::string, std::string> keys;
    for (size_t i = 0; i < needs.size(); ++i)
      keys.emplace(shape.needs[i].name, jobs_[needs[i]].key);
    entry->second = std::move(keys);
  }
  return entry->second;
}

PlannedJob JobTable::make(const Shape& shape, const Point& point, const std::vector<size_t>& needs,
                          std::string key) {
  PlannedJob job;
  job.key = std::move(key);
  job.config_key = config_key(shape, point, needs);
  if (!needs.empty()) job.needs = keys_of(shape, needs);
  job.shape = shape.shared;
  job.values.reserve(shape.varying.size());
  for (const Slot* slot : shape.varying) job.values.push_back(slot->values[slot->row(point)]);
  return job;
}

}  // namespace qbitopt
