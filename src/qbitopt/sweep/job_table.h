#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "qbitopt/sweep/plan.h"
#include "qbitopt/sweep/shape.h"

namespace qbitopt {

// The jobs of a plan while it is made: each once, by its key.
//
// A key is the sha256 of the job's identity (identity.h). Writing that JSON for each of a million
// jobs would take minutes. Therefore each value of a parameter is written once, as a fragment
// (Slot), and a job's identity is its fragments one after another.
class JobTable {
 public:
  // `needs`: indices of the jobs that meet shape.needs, in its order. Returns the job's index. A
  // job that is requested already keeps its case and belongs to this one, too.
  size_t add_requested(const Shape& shape, const Point& point, const std::vector<size_t>& needs,
                       const std::string& case_name);
  // The n-th run of a search, which is requested only once the search has chosen it.
  size_t add_trial(const Shape& shape, const Point& point, const std::vector<size_t>& needs,
                   const std::string& case_name, int trial);
  size_t add_needed(const Shape& shape, const Point& point, const std::vector<size_t>& needs);

  const PlannedJob& job(size_t index) const { return jobs_[index]; }
  size_t size() const { return jobs_.size(); }
  // Makes room for this many more jobs.
  void expect(size_t jobs);
  bool contains(const std::string& key) const { return index_.count(key) != 0; }
  size_t requested() const { return requested_; }  // how many are
  std::vector<PlannedJob> take() { return std::move(jobs_); }

 private:
  // A key is a sha256: its first digits are as good as any hash of it.
  struct KeyHash {
    size_t operator()(std::string_view key) const;
  };

  size_t add(const Shape& shape, const Point& point, const std::vector<size_t>& needs);
  void write_identity(const Shape& shape, const Point& point, const std::vector<size_t>& needs,
                      bool with_seed);
  const Shared<std::string>& config_key(const Shape& shape, const Point& point,
                                        const std::vector<size_t>& needs);
  const Shared<std::map<std::string, std::string>>& keys_of(const Shape& shape,
                                                            const std::vector<size_t>& needs);
  PlannedJob make(const Shape& shape, const Point& point, const std::vector<size_t>& needs,
                  std::string key);

  std::vector<PlannedJob> jobs_;
  size_t requested_ = 0;
  // Key -> its job. The characters are those of PlannedJob::key. They stay in place when a job is
  // moved, because a key is too long to stand in the string object itself.
  std::unordered_map<std::string_view, size_t, KeyHash> index_;
  std::string text_;         // of the identity that was asked for last
  std::string config_text_;  // of the last config key, which jobs that differ in their seed share
  Shared<std::string> config_key_;
  // By the shape and the jobs that meet its needs.
  std::map<std::pair<std::shared_ptr<const JobShape>, std::vector<size_t>>,
           Shared<std::map<std::string, std::string>>>
      keys_of_needs_;
};

}  // namespace qbitopt
