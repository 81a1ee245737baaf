#pragma once

#include "qbitopt/graph/graph.h"
#include "qbitopt/graph/quantizers.h"

namespace qbitopt {

// Rewriting that leaves what a network computes as it is and saves passes over its tensors.

// Moves ReLU and ReLU6 behind a 2d maximum that alone reads them: they commute, it has fewer values
// to clip then, and the quantizer that follows may absorb it.
Graph pool_before_activations(Graph graph);

// Tells the quantizers of inputs what they absorb (GraphSite::absorbs): ReLU, ReLU6 or hard-swish
// whose output nothing else reads. The node stays in the graph, so that this is whole; who runs it
// skips the node and hands the quantizer the node's "self".
QuantizedGraph absorb_activations(QuantizedGraph graph);

// Both, with insert_quantizers() between them: how every network here is made ready. Throws as
// insert_quantizers() does.
QuantizedGraph quantize(Graph graph, const QuantizerPlacement& placement = {});

}  // namespace qbitopt
