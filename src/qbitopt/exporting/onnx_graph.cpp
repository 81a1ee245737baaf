#include "qbitopt/exporting/onnx_graph.h"

#include <stdexcept>
#include <utility>

namespace qbitopt {
namespace {

onnx::Type type_of(torch::ScalarType type) {
  switch (type) {
    case torch::kFloat32:
      return onnx::Type::kFloat;
    case torch::kInt64:
      return onnx::Type::kInt64;
    case torch::kInt8:
      return onnx::Type::kInt8;
    case torch::kUInt8:
      return onnx::Type::kUint8;
    case torch::kBool:
      return onnx::Type::kBool;
    default:
      throw std::logic_error(std::string("no tensor of ONNX is made of ") + toString(type));
  }
}

std::string bytes_of(const torch::Tensor& values) {
  const torch::Tensor flat = values.detach().contiguous();
  return {static_cast<const char*>(flat.data_ptr()), flat.nbytes()};
}

std::string free_name(const std::string& wish, std::set<std::string>& taken) {
  std::string name = wish;
  for (int count = 2; !taken.insert(name).second; ++count)
    name = wish + "_" + std::to_string(count);
  return name;
}

}  // namespace

std::string OnnxGraph::claim(const std::string& wish) { return free_name(wish, names_); }

std::string OnnxGraph::add(const std::string& operation, std::vector<std::string> inputs,
                           OnnxAttributes attributes, const std::string& output,
                           const std::string& domain) {
  const std::string name =
      free_name(module_.empty() ? operation : module_ + "/" + operation, node_names_);
  std::string made = claim(output.empty() ? name : output);
  model_.nodes.push_back(
      {name, operation, std::move(inputs), {made}, std::move(attributes), domain});
  return made;
}

std::vector<std::string> OnnxGraph::add_several(const std::string& operation,
                                                std::vector<std::string> inputs,
                                                OnnxAttributes attributes,
                                                const std::vector<std::string>& outputs) {
  add(operation, std::move(inputs), std::move(attributes), outputs.front());
  onnx::Node& node = model_.nodes.back();
  for (size_t i = 1; i < outputs.size(); ++i) node.outputs.push_back(claim(outputs[i]));
  return node.outputs;
}

std::string OnnxGraph::add_tensor(onnx::Tensor tensor, const std::string& name) {
  tensor.name = claim(name);
  model_.tensors.push_back(std::move(tensor));
  return model_.tensors.back().name;
}

std::string OnnxGraph::tensor(const torch::Tensor& values, const std::string& name) {
  return add_tensor({"", type_of(values.scalar_type()), values.sizes().vec(), bytes_of(values)},
                    name);
}

std::string OnnxGraph::packed_tensor(const torch::Tensor& values, const std::string& name) {
  const std::string codes = bytes_of(values);
  std::string packed((codes.size() + 1) / 2, '\0');
  for (size_t i = 0; i < codes.size(); ++i) {
    const unsigned half = static_cast<unsigned char>(codes[i]) & 15u;
    packed[i / 2] =
        static_cast<char>(static_cast<unsigned char>(packed[i / 2]) | half << (i % 2 * 4));
  }
  const bool is_signed = values.scalar_type() == torch::kInt8;
  return add_tensor({"", is_signed ? onnx::Type::kInt4 : onnx::Type::kUint4, values.sizes().vec(),
                     std::move(packed)},
                    name);
}

std::string OnnxGraph::shared_tensor(const torch::Tensor& values, const std::string& name) {
  const auto [known, is_new] = shared_.try_emplace(name + " " + bytes_of(values));
  if (is_new) known->second = tensor(values, name);
  return known->second;
}

std::string OnnxGraph::number(double value) {
  return shared_tensor(torch::tensor(static_cast<float>(value)), "number");
}

std::string OnnxGraph::whole(int64_t value) {
  return shared_tensor(torch::tensor(value, torch::kInt64), "index");
}

std::string OnnxGraph::code(int64_t value, torch::ScalarType type) {
  return shared_tensor(torch::tensor(value, type),
                       type == torch::kInt8 ? "signed_code" : "unsigned_code");
}

std::string OnnxGraph::wholes(const std::vector<int64_t>& values) {
  return shared_tensor(torch::tensor(values, torch::kInt64), "list");
}

}  // namespace qbitopt
