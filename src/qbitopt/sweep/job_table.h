#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "qbitopt/sweep/plan.h"
#include "qbitopt/sweep/shape.h"

namespace qbitopt {

// The jobs of a plan while it is made: each once, by its key.
class JobTable {
 public:
  // `needs`: indices of the jobs that meet shape.needs, in its order. Returns the job's index.
  size_t add_requested(const Shape& shape, const Point& point, const std::vector<size_t>& needs,
                       const std::string& case_name);
  size_t add_needed(const Shape& shape, const Point& point, const std::vector<size_t>& needs);

  std::vector<PlannedJob> take() { return std::move(jobs_); }

 private:
  std::string key_of(const Shape& shape, const Point& point, const std::vector<size_t>& needs,
                     bool with_seed);
  PlannedJob make(const Shape& shape, const Point& point, const std::vector<size_t>& needs,
                  std::string key);

  std::vector<PlannedJob> jobs_;
  std::unordered_map<std::string, size_t> index_;  // key -> place in jobs_
  std::string buffer_;
};

}  // namespace qbitopt
