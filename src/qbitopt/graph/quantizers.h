#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "qbitopt/graph/graph.h"

namespace qbitopt {

// A node of this target hands its argument "input" on, quantized by the site with the number
// "site".
inline constexpr const char* kQuantize = "qbitopt.quantize";

// A tensor that may be quantized: the weight of a layer, what it reads, or the factors of a gate.
struct GraphSite {
  // Of the first layer that reads it; unique among the sites of one kind. The path of the module
  // that owns the weight ("layer1.0.conv1"), which need not exist: "attn.in_proj" for the weight
  // "attn.in_proj_weight". Of factors: "<module that multiplies>.gate".
  std::string layer;
  bool is_weight = false;
  // Of an input: what comes before it says where its values lie. kUnsigned: never below 0;
  // kOffset: a little below 0 at most, as after GELU.
  enum class Grid { kSigned, kUnsigned, kOffset };
  Grid grid = Grid::kSigned;
  int64_t channels = 1;  // size of a weight's dimension 0
  // What the quantizer applies to the tensor before it rounds, in the same pass, in place of the
  // node that makes the tensor it reads. Set by absorb_activations().
  GraphActivation absorbs = GraphActivation::kIdentity;

  // "layer1.0.conv1.weight" or "layer1.0.conv1.input".
  std::string name() const;
};

// A convolution or a linear layer, as it is executed.
struct GraphLayer {
  size_t node = 0;
  size_t input_site = 0, weight_site = 0;  // which it may share with other layers
  bool is_first = false;                   // no layer comes between the images and it
  bool is_last = false;                    // no layer comes between it and the logits
};

// A product of a feature map with one factor between 0 and 1 for each of its channels, as at the
// end of squeeze-excite.
struct GraphGate {
  size_t node = 0;
  size_t site = 0;  // of the factors
};

struct QuantizedGraph {
  Graph graph;
  std::vector<GraphSite> sites;    // in the order of execution, an input before the weight
  std::vector<GraphLayer> layers;  // likewise
  std::vector<GraphGate> gates;    // likewise
};

// Puts a quantizer before every weight and every input of a convolution (1d, 2d, 3d, transposed or
// not) and of a linear layer. A tensor that several layers read has one. The factors of a gate,
// which sigmoid or hard-sigmoid makes, have one, too: they scale each feature map right before a
// layer reads it, and integer hardware keeps them as integers. What else there is (residual sums,
// attention's products, norms) stays as it is, and so does a convolution whose weight is computed
// from the images.
//
// The grid of an input follows from what makes it, seen through pooling, reshaping, concatenation,
// sums and products: unsigned after ReLU, ReLU6, sigmoid, hard-sigmoid and softmax; with an offset
// after hard-swish, SiLU, GELU and Mish; signed otherwise. Throws BadGraph if there is no layer.
QuantizedGraph insert_quantizers(Graph graph);

}  // namespace qbitopt
