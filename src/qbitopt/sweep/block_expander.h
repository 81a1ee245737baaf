#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "qbitopt/sweep/block.h"
#include "qbitopt/sweep/job_table.h"
#include "qbitopt/sweep/shape.h"

namespace qbitopt {

// The next point, the last dimension fastest; false after the last one.
bool advance(Point& point, const std::vector<Dimension>& dimensions);

// Points that repeat the job of another point.
struct Repeats {
  size_t points = 0;
  // "; the first is reallocation.tau=2.5, whose job has reallocation.tau=2"; empty: without axes
  std::string first;
};

// The jobs of one block.
class BlockExpander {
 public:
  BlockExpander(const Block& block, const std::string& case_name,
                const std::set<std::string>& extra_axes, const Catalog& catalog,
                DataFingerprints& fingerprints, JobTable& table,
                std::vector<std::string>& warnings);

  // Every point that the rules keep becomes a job; `trial`: the n-th of a search, 0: none. Returns
  // their indices in the table.
  std::vector<size_t> expand(int trial = 0);

  // By the case whose jobs they are.
  const std::map<std::string, Repeats>& repeats() const { return repeats_; }

  const std::set<std::string>& applied() const { return shapes_.applied(); }

 private:
  Shape& shape_at(const Point& point, const Variant* variant, bool counts);
  std::vector<size_t> needs_of(const Shape& shape, const Point& point);
  size_t needed_job(const ShapeNeed& need, const Point& point);
  bool is_repeated_by_rows(const Shape& shape, const Point& point) const;
  void note_repeated(const Point& point, const PlannedJob& job);

  const Block& block_;
  const std::string& case_name_;
  const Json case_;  // its name for conditions; null without cases
  const std::vector<Dimension> dimensions_;
  ShapeBuilder shapes_;
  JobTable& table_;
  std::map<std::string, Repeats> repeats_;
};

}  // namespace qbitopt
