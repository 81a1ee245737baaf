#include "qbitopt/sweep/block_expander.h"

#include <fmt/format.h>

#include <algorithm>

#include "qbitopt/config/value.h"
#include "qbitopt/sweep/job_check.h"

namespace qbitopt {
namespace {

constexpr size_t kMaximumWhens = 64;  // one bit each
constexpr size_t kMaximumJobs = 1'000'000;

// Whether the block's rules keep this point. Every rule is evaluated, so that each counts its
// matches.
bool keeps(const Block& block, const Json& case_name, const Shape& shape, const Point& point) {
  const auto lookup = [&](const std::string& key) -> const Json& {
    return key == kCaseWord ? case_name : shape.value(key, point);
  };
  const auto matches = [&](const std::shared_ptr<const Rule>& rule) {
    const bool holds = rule->condition.holds(lookup);
    rule->matches += holds;
    return holds;
  };
  bool keep = true;
  for (const auto& rule : block.exclude) keep &= !matches(rule);
  for (const RuleList& list : block.only) {
    bool matches_one = false;
    for (const auto& rule : list) matches_one |= matches(rule);
    keep &= matches_one;
  }
  return keep;
}

}  // namespace

bool advance(Point& point, const std::vector<Dimension>& dimensions) {
  for (size_t i = point.size(); i-- > 0;) {
    if (++point[i] < dimensions[i].rows.size()) return true;
    point[i] = 0;
  }
  return false;
}

BlockExpander::BlockExpander(const Block& block, const std::string& case_name,
                             const std::set<std::string>& extra_axes, const Catalog& catalog,
                             DataFingerprints& fingerprints, JobTable& table,
                             std::vector<std::string>& warnings)
    : block_(block),
      case_name_(case_name),
      case_(case_name.empty() ? Json() : Json(case_name)),
      dimensions_(dimensions(block, catalog, warnings)),
      shapes_(block, dimensions_, extra_axes, catalog, fingerprints),
      table_(table) {
  if (block.when.size() > kMaximumWhens)
    fail_at(block.when[kMaximumWhens]->place, "this block has more than 64 entries of `when`");
}

std::vector<size_t> BlockExpander::expand(int trial) {
  std::vector<size_t> jobs;
  size_t points = 1;
  for (const Dimension& dimension : dimensions_) points *= dimension.rows.size();
  table_.expect(std::min(points, kMaximumJobs));
  Point point(dimensions_.size(), 0);
  do {
    if (!keeps(block_, case_, shapes_.at(point, 0, nullptr), point)) continue;
    Shape& shape = shape_at(point, nullptr, /*counts=*/true);
    check_job(shape, point, block_.place);
    const std::vector<size_t> needs = needs_of(shape, point);
    if (table_.size() > kMaximumJobs) {
      fail_at(block_.place,
              "this sweep has more than a million jobs; split it into several, or "
              "draw from it (`sample`)");
    }
    if (trial != 0) {
      jobs.push_back(table_.add_trial(shape, point, needs, case_name_, trial));
      continue;
    }
    const size_t before = table_.requested();
    jobs.push_back(table_.add_requested(shape, point, needs, case_name_));
    if (table_.requested() == before && !is_repeated_by_rows(shape, point))
      note_repeated(point, table_.job(jobs.back()));
  } while (advance(point, dimensions_));
  return jobs;
}

// Each `when` sees what those before it have set.
Shape& BlockExpander::shape_at(const Point& point, const Variant* variant, bool counts) {
  Shape* shape = &shapes_.at(point, 0, variant);
  uint64_t fired = 0;
  for (size_t i = 0; i < block_.when.size(); ++i) {
    const When& when = *block_.when[i];
    const auto lookup = [&](const std::string& key) -> const Json& {
      static const Json none;  // a job that others need may be that of several cases
      if (key == kCaseWord) return variant ? none : case_;
      return shape->value(key, point);
    };
    if (!when.condition.holds(lookup)) continue;
    when.matches += counts;
    fired |= uint64_t{1} << i;
    shape = &shapes_.at(point, fired, variant);
  }
  return *shape;
}

std::vector<size_t> BlockExpander::needs_of(const Shape& shape, const Point& point) {
  std::vector<size_t> jobs;
  for (const ShapeNeed& need : shape.needs) jobs.push_back(needed_job(need, point));
  return jobs;
}

size_t BlockExpander::needed_job(const ShapeNeed& need, const Point& point) {
  Shape& shape = shape_at(point, need.job, /*counts=*/false);
  if (!leaves(shape, need)) {
    const std::string lacking =
        need.artifact == "model" ? "quantized network" : "'" + need.artifact + "'";
    fail_at(block_.place, "the job for the need '" + need.name + "' has no " + lacking +
                              " to hand over, because method " +
                              shown(shape.value("method", point)) + " does not quantize");
  }
  const auto [entry, is_new] = shape.jobs.try_emplace(shape.relevant_rows(point, dimensions_), 0);
  if (!is_new && shape.needs.empty()) return entry->second;
  if (is_new) check_job(shape, point, block_.place);
  const std::vector<size_t> needs = needs_of(shape, point);
  entry->second = table_.add_needed(shape, point, needs);
  return entry->second;
}

// An axis that does not apply to a job, such as a budget to fp32, gives the same job at every row.
bool BlockExpander::is_repeated_by_rows(const Shape& shape, const Point& point) const {
  for (size_t i = 0; i < dimensions_.size(); ++i) {
    const auto& keys = dimensions_[i].keys;
    const bool applies = std::any_of(keys.begin(), keys.end(),
                                     [&](const auto& key) { return shape.find(key) != nullptr; });
    if (!applies && point[i] > 0) return true;
  }
  return false;
}

void BlockExpander::note_repeated(const Point& point, const PlannedJob& job) {
  Repeats& repeats = repeats_[job.case_name];
  if (repeats.points++ > 0) return;
  const Json axes = job.axes();
  std::vector<std::string> here, there;
  for (size_t i = 0; i < dimensions_.size(); ++i) {
    for (size_t column = 0; column < dimensions_[i].keys.size(); ++column) {
      const std::string& key = dimensions_[i].keys[column];
      const Json& value = dimensions_[i].rows[point[i]][column].value;
      const auto of_job = axes.find(key);
      here.push_back(key + "=" + shown(value));
      if (of_job != axes.end() && *of_job != value) there.push_back(key + "=" + shown(*of_job));
    }
  }
  if (!here.empty()) repeats.first = fmt::format("; the first is {}", fmt::join(here, " "));
  if (!there.empty()) repeats.first += fmt::format(", whose job has {}", fmt::join(there, " "));
}

}  // namespace qbitopt
