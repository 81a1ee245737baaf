#pragma once

#include <cstdint>
#include <optional>

#include "qbitopt/config/catalog.h"
#include "qbitopt/job/job.h"

namespace qbitopt {

// The size of a job according to manifests, for estimates before any job has run.
struct JobSize {
  // Images that its training steps process; nullopt if the size of its data is unknown.
  std::optional<int64_t> images;
  int64_t checkpoint_bytes = 0;  // of the weights, in float32; 0: not known
  // Duration of its training steps on one NVIDIA H100, if every step costs as much as one of
  // QBitOpt and time is proportional to the number of pixels. The model's manifest gives the number
  // of 224x224 images per second that QBitOpt trains on there (facts: h100_images_per_second),
  // measured or scaled by MACs from a measured relative. Nullopt for devices other than CUDA,
  // unknown numbers of images, and networks without a known speed.
  std::optional<double> h100_seconds;
};
JobSize size_of(const Job& job, const Catalog& catalog);

}  // namespace qbitopt
