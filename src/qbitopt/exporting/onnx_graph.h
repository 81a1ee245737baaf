#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "qbitopt/onnx/model.h"
#include "qbitopt/quant/torch.h"

namespace qbitopt {

using OnnxAttributes = std::map<std::string, onnx::Attribute>;

// An ONNX graph under construction. All values and nodes get names of their own: the one that was
// asked for, with a number behind it if it is taken.
class OnnxGraph {
 public:
  explicit OnnxGraph(int opset) : opset_(opset) {}

  int opset() const { return opset_; }
  // Nodes that are added from now on are named after this module: "layer1.0.conv1/Conv".
  void set_module(const std::string& path) { module_ = path; }

  // Adds a node with one output. `output`: the name that is wished for it; empty: the node's.
  // Returns the output.
  std::string add(const std::string& operation, std::vector<std::string> inputs,
                  OnnxAttributes attributes = {}, const std::string& output = "",
                  const std::string& domain = "");
  std::vector<std::string> add_several(const std::string& operation,
                                       std::vector<std::string> inputs, OnnxAttributes attributes,
                                       const std::vector<std::string>& outputs);

  // Tensors that the model owns: float32, int64, bool, int8 and uint8. Return their names.
  std::string tensor(const torch::Tensor& values, const std::string& name);
  // The same, of two 4-bit values a byte: int8 or uint8 within their range.
  std::string packed_tensor(const torch::Tensor& values, const std::string& name);
  // Small ones without a name of their own, each there once.
  std::string number(double value);
  std::string whole(int64_t value);
  std::string code(int64_t value, torch::ScalarType type);
  std::string wholes(const std::vector<int64_t>& values);

  // A name that is free from now on for nothing else.
  std::string claim(const std::string& wish);

  // Everything so far; to be called once.
  onnx::Model take() { return std::move(model_); }

 private:
  std::string add_tensor(onnx::Tensor tensor, const std::string& name);
  std::string shared_tensor(const torch::Tensor& values, const std::string& name);

  int opset_;
  std::string module_;
  onnx::Model model_;
  std::set<std::string> names_, node_names_;
  std::map<std::string, std::string> shared_;  // name by kind and bytes
};

}  // namespace qbitopt
