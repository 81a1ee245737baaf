#pragma once

#include "qbitopt/onnx/model.h"

namespace qbitopt::onnx {

// A quantized linear layer without a bias: [batch, 2] to [batch, 3], one scale a channel.
inline Model small_model() {
  Model model;
  model.opsets = {{"", 17}};
  model.producer = "test";
  model.name = "small";
  model.inputs = {{"images", Type::kFloat, {"batch", int64_t{2}}}};
  model.outputs = {{"logits", Type::kFloat, {"batch", int64_t{3}}}};
  model.tensors = {{"fc.weight", Type::kInt8, {3, 2}, std::string("\x01\xff\x03\x80\x7f\x00", 6)},
                   {"scale", Type::kFloat, {3}, std::string(12, '\0')},
                   {"zero", Type::kInt8, {3}, std::string(3, '\0')}};
  model.nodes = {{"fc/DequantizeLinear",
                  "DequantizeLinear",
                  {"fc.weight", "scale", "zero"},
                  {"weight"},
                  {{"axis", int64_t{0}}},
                  ""},
                 {"fc/Gemm",
                  "Gemm",
                  {"images", "weight", ""},
                  {"logits"},
                  {{"transB", int64_t{1}}, {"alpha", 0.5f}},
                  ""}};
  model.metadata = {{"job", "abc"}};
  return model;
}

}  // namespace qbitopt::onnx
