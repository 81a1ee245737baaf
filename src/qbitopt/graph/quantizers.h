#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "qbitopt/graph/graph.h"

namespace qbitopt {

// A node of this target hands its argument "input" on, quantized by the site with the number
// "site".
inline constexpr const char* kQuantize = "qbitopt.quantize";

// A tensor that may be quantized: the weight of a layer, what it reads, the factors of a gate, or an
// operand of a product.
struct GraphSite {
  // Of the first layer that reads it; unique among the sites of one kind. The path of the module
  // that owns the weight ("layer1.0.conv1"), which need not exist: "attn.in_proj" for the weight
  // "attn.in_proj_weight". Of factors: "<module that multiplies>.gate". Of operands:
  // "<module that multiplies>.matmul.left" and "right".
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
  // Which it may share with other layers; nullopt: not quantized (QuantizerPlacement::skip).
  std::optional<size_t> input_site, weight_site;
  bool is_first = false;  // no layer comes between the images and it
  bool is_last = false;   // no layer comes between it and the logits
};

// A product of a feature map with one factor between 0 and 1 for each of its channels, as at the
// end of squeeze-excite.
struct GraphGate {
  size_t node = 0;
  size_t site = 0;  // of the factors
};

// A matrix product of two tensors that both depend on the images, as of attention.
struct GraphProduct {
  size_t node = 0;
  std::optional<size_t> left_site, right_site;  // may be one; nullopt: not quantized
};

struct QuantizedGraph {
  Graph graph;
  std::vector<GraphSite> sites;    // in the order of execution, an input before the weight
  std::vector<GraphLayer> layers;  // likewise
  std::vector<GraphGate> gates;    // likewise
  std::vector<GraphProduct> products;
};

// Which tensors have quantizers, beyond what is said below.
struct QuantizerPlacement {
  // Patterns (see core/patterns.h) of the names of sites that are left out: these tensors stay in
  // float32.
  std::vector<std::string> skip;
  // Whether both operands of a matrix product of two activations have one. Attention is taken apart
  // into its two products then (decompose_attention()).
  bool products = false;
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
// after hard-swish, SiLU, GELU and Mish; signed otherwise. Throws BadGraph if there is no layer,
// if a pattern of `placement` fits nothing, or if it leaves no quantizer.
QuantizedGraph insert_quantizers(Graph graph, const QuantizerPlacement& placement = {});

// Writes scaled_dot_product_attention as what it computes: a product of queries and keys, scaled and
// masked, softmax, and a product with the values. Throws BadGraph, with the module, for one that
// cannot be written so: grouped queries, or dropout.
Graph decompose_attention(Graph graph);

}  // namespace qbitopt
