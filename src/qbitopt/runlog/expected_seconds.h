#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "qbitopt/job/job.h"
#include "qbitopt/runlog/reader.h"

namespace qbitopt {

// How long jobs take, judged by those that are finished. Asks the database once, when it is made.
class ExpectedSeconds {
 public:
  explicit ExpectedSeconds(const Reader& reader);

  // From finished jobs of the same configuration, if there are any: their mean. Else from those
  // with the same method, model, data, size of images and device: their time a training image times
  // `images`, those that this job trains on, and what they took beside training; without `images`
  // their mean. Nothing if there are none.
  std::optional<double> of(const Job& job, std::optional<int64_t> images = std::nullopt) const;

 private:
  struct Sums {
    double seconds = 0, jobs = 0;
    double other_seconds = 0, other_jobs = 0;  // beside training, where that is known
    double train_seconds = 0, images = 0;
  };
  std::map<std::string, Sums> by_configuration_;
  std::map<std::string, Sums> by_kind_;
};

}  // namespace qbitopt
