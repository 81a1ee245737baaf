#pragma once

#include <cstdint>
#include <optional>

#include "qbitopt/data/batch_source.h"
#include "qbitopt/models/network.h"

namespace qbitopt {

struct Evaluation {
  double loss = 0;  // mean cross-entropy, in nats
  double top1 = 0;  // percent
  // Percent of images whose label is among the five largest logits; nothing with five classes or
  // less.
  std::optional<double> top5;
  int64_t images = 0;
};

// Mean over all images of a stream, without gradients, in the mode that the network is in.
Evaluation evaluate(Network& network, BatchStream& images, torch::Device device);

}  // namespace qbitopt
