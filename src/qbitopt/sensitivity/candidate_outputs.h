#pragma once

#include <functional>

#include "qbitopt/sensitivity/measured.h"

namespace qbitopt {

// What the network answers to one batch as it is, and with one quantizer changed.
struct OutputPair {
  torch::Tensor base;     // logits [batch, classes], the quantizers as `stage` says
  torch::Tensor changed;  // the same with quantizer q alone at its i-th candidate
  torch::Tensor labels;
};

// For every quantizer q and candidate i: the mean over images of `value` ([batch] for one batch).
// Values that are not finite are left out and counted; where none is finite, `fail` is called.
//
// One forward pass over the batches for each candidate of each quantizer. Nothing of the network's
// prefix before the changed quantizer is kept: a network is a function, free to add, pool and
// branch between its quantizers, so skipping ahead would need every such operation to be recorded
// and replayed by each network that anybody writes; what it saves is half of the passes at most
// (the changed quantizer lies in the middle on average). At a candidate that changes nothing the
// pass is saved.
CostTable measure_outputs(SensitivityContext& context, const UniformQuantizers& quantizers,
                          Stage stage, const LabeledBatches& batches,
                          const std::function<torch::Tensor(const OutputPair&)>& value,
                          const std::function<void(const Quantizer&, int64_t values)>& fail);

}  // namespace qbitopt
