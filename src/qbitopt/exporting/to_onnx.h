#pragma once

#include <string>
#include <vector>

#include "qbitopt/exporting/integer_grid.h"
#include "qbitopt/models/graph_network.h"
#include "qbitopt/onnx/model.h"

namespace qbitopt {

struct OnnxOptions {
  static constexpr int kLowestOpset = 17, kHighestOpset = 21;
  int opset = kLowestOpset;  // 21: weights of at most 4 bits are stored as INT4
  bool folds_batch_norms = true;
  enum class Quantizers {
    kIntegers,    // QuantizeLinear, Clip, DequantizeLinear: runs everywhere
    kQuantNodes,  // QONNX's Quant
    kNone         // left out; see OnnxExport::encodings
  };
  Quantizers quantizers = Quantizers::kIntegers;
};

// A quantizer that the model leaves out: the tensor that it quantizes, and how.
struct OnnxEncoding {
  std::string tensor;  // name in the model
  bool is_weight = false;
  IntegerGrid grid;  // with the scales that batch norms were folded into; without its offset
  int64_t axis = 0;  // of the scales, if there are several
};

struct OnnxExport {
  onnx::Model model;
  std::vector<OnnxEncoding> encodings;  // for Quantizers::kNone
};

// The network in evaluation mode, with the quantizers that are attached, as an ONNX model from
// "images" [batch, ...] to "logits" [batch, classes]. Parameters keep their names; weights are
// integer codes. The structure is checked (onnx/check.h).
//
// image_shape: [channels, height, width], which the model is fixed to. Throws InputError, naming
// operators and modules, for what has no translation.
OnnxExport to_onnx(GraphNetwork& network, const std::vector<int64_t>& image_shape,
                   const OnnxOptions& options);

}  // namespace qbitopt
