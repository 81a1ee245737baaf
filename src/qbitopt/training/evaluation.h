#pragma once

#include <cstdint>
#include <optional>
#include <string>

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

// The same over a whole split. Throws JobError "data" if not one of its images can be decoded.
Evaluation evaluate_split(Network& network, const DataSet& data, Split split, int64_t batch_size,
                          torch::Device device);

// "2 images could not be decoded and were left out: val/a/1.JPEG (the file is empty), ..."; empty
// if there are none.
std::string damage_text(const DataSet& data);

}  // namespace qbitopt
