#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "qbitopt/job/job.h"
#include "qbitopt/runlog/reader.h"

namespace qbitopt {

// Estimates how long jobs take from the finished ones. Reads the database once, in the constructor.
class ExpectedSeconds {
 public:
  explicit ExpectedSeconds(const Reader& reader);

  // The mean of finished jobs with the same configuration, if there are any. Else an estimate from
  // those with the same method, model, data, image size and device: their time per training image
  // times `images`, the number that this job trains on, plus their time outside of training;
  // without `images`, their mean. Nullopt if there are none.
  std::optional<double> of(const Job& job, std::optional<int64_t> images = std::nullopt) const;
  // Largest resident memory of those jobs.
  std::optional<int64_t> memory_bytes_of(const Job& job) const;

 private:
  struct Sums {
    double seconds = 0, jobs = 0;
    double other_seconds = 0, other_jobs = 0;  // outside of training, where known
    double train_seconds = 0, images = 0;
    double most_bytes = 0;
  };
  std::map<std::string, Sums> by_configuration_;
  std::map<std::string, Sums> by_kind_;
};

}  // namespace qbitopt
