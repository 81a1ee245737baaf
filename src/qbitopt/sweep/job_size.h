#pragma once

#include <cstdint>
#include <optional>

#include "qbitopt/config/catalog.h"
#include "qbitopt/job/job.h"

namespace qbitopt {

// How large a job is, as far as manifests say it: for estimates before anything has run.
struct JobSize {
  // That its training steps see; nothing: its epochs are of unknown data.
  std::optional<int64_t> images;
  int64_t checkpoint_bytes = 0;  // of the weights, in float32; 0: not known
  // Of its training steps on one NVIDIA H100, if every one costs what QBitOpt's does and time goes
  // with the pixels. The model's manifest says how many 224x224 images QBitOpt trains on in a second
  // there (facts: h100_images_per_second), measured or taken from a measured relative by MACs.
  // Nothing for other devices than CUDA, unknown images, and networks of which no speed is said.
  std::optional<double> h100_seconds;
};
JobSize size_of(const Job& job, const Catalog& catalog);

}  // namespace qbitopt
