#pragma once

#include <cstdint>
#include <optional>

#include "qbitopt/job/job.h"
#include "qbitopt/sweep/catalog.h"

namespace qbitopt {

// How large a job is, as far as manifests say it: for estimates before anything has run.
struct JobSize {
  std::optional<int64_t>
      images;  // that its training steps see; nothing: its epochs are of unknown data
  int64_t checkpoint_bytes = 0;  // of the weights, in float32; 0: not known
};
JobSize size_of(const Job& job, const Catalog& catalog);

}  // namespace qbitopt
