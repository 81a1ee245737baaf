#include "qbitopt/graph/builder.h"

#include <utility>

namespace qbitopt {
namespace {

constexpr int64_t kAny = -1;

// Of height or width, where that of the input is known.
int64_t positions(int64_t size, int64_t kernel, int64_t stride, int64_t padding) {
  return size == kAny ? kAny : (size + 2 * padding - kernel) / stride + 1;
}

std::vector<ListItem> repeated(int64_t value, size_t times) {
  return std::vector<ListItem>(times, value);
}

}  // namespace

GraphBuilder::GraphBuilder(int64_t image_channels) {
  graph_.made_by = "qbitopt";
  graph_.input = add_value("images", {kAny, image_channels, kAny, kAny});
}

size_t GraphBuilder::add_value(std::string name, std::vector<int64_t> shape, const char* type) {
  const int count = ++counts_[name];
  if (count > 1) name += "_" + std::to_string(count);
  graph_.values.push_back({.name = std::move(name), .type = type, .shape = std::move(shape)});
  return graph_.values.size() - 1;
}

ValueRef GraphBuilder::add_tensor(const std::string& name, std::vector<int64_t> shape,
                                  GraphTensor::Kind kind, const char* type) {
  const size_t value = add_value(name, std::move(shape), type);
  graph_.tensors.push_back({.name = name, .kind = kind, .value = value});
  return {value};
}

ValueRef GraphBuilder::add_node(const std::string& target, std::vector<NamedArgument> arguments,
                                std::vector<int64_t> shape, const std::string& module) {
  GraphNode node{.target = target, .arguments = std::move(arguments), .module = module};
  const std::string name = module.empty() ? std::string(node.plain_name()) : module;
  node.outputs = {add_value(name, std::move(shape))};
  graph_.nodes.push_back(std::move(node));
  return {graph_.nodes.back().outputs.front()};
}

std::vector<int64_t> GraphBuilder::slid(ValueRef x, int64_t out_channels, int64_t kernel,
                                        int64_t stride, int64_t padding) const {
  std::vector<int64_t> shape = graph_.values[x.value].shape;
  shape[1] = out_channels;
  for (size_t i = 2; i < shape.size(); ++i) shape[i] = positions(shape[i], kernel, stride, padding);
  return shape;
}

ValueRef GraphBuilder::elementwise(const std::string& target, ValueRef x,
                                   std::vector<NamedArgument> more, const std::string& module) {
  more.insert(more.begin(), {"self", x});
  return add_node(target, std::move(more), graph_.values[x.value].shape, module);
}

ValueRef GraphBuilder::conv2d(const std::string& path, ValueRef x, const Convolution& options) {
  const int64_t in_channels = channels(x);
  const ValueRef weight = add_tensor(
      path + ".weight",
      {options.out_channels, in_channels / options.groups, options.kernel, options.kernel});
  GraphArgument bias;
  if (options.bias) bias = add_tensor(path + ".bias", {options.out_channels});
  return add_node("aten.conv2d.default",
                  {{"input", x},
                   {"weight", weight},
                   {"bias", bias},
                   {"stride", repeated(options.stride, 2)},
                   {"padding", repeated(options.kernel / 2, 2)},
                   {"dilation", repeated(1, 2)},
                   {"groups", options.groups}},
                  slid(x, options.out_channels, options.kernel, options.stride, options.kernel / 2),
                  path);
}

ValueRef GraphBuilder::batch_norm(const std::string& path, ValueRef x,
                                  const Normalization& options) {
  using Kind = GraphTensor::Kind;
  const int64_t size = channels(x);
  const ValueRef weight = add_tensor(path + ".weight", {size});
  const ValueRef bias = add_tensor(path + ".bias", {size});
  const ValueRef mean = add_tensor(path + ".running_mean", {size}, Kind::kBuffer);
  const ValueRef variance = add_tensor(path + ".running_var", {size}, Kind::kBuffer);
  add_tensor(path + ".num_batches_tracked", {}, Kind::kBuffer, "I64");
  return add_node("aten.batch_norm.default",
                  {{"input", x},
                   {"weight", weight},
                   {"bias", bias},
                   {"running_mean", mean},
                   {"running_var", variance},
                   {"training", false},  // follows the network's mode
                   {"momentum", options.momentum},
                   {"eps", options.epsilon},
                   {"cudnn_enabled", true}},
                  graph_.values[x.value].shape, path);
}

ValueRef GraphBuilder::linear(const std::string& path, ValueRef x, int64_t out_features,
                              bool bias) {
  const ValueRef weight = add_tensor(path + ".weight", {out_features, channels(x)});
  std::vector<NamedArgument> arguments = {{"input", x}, {"weight", weight}};
  if (bias) arguments.push_back({"bias", add_tensor(path + ".bias", {out_features})});
  return add_node("aten.linear.default", std::move(arguments), {kAny, out_features}, path);
}

ValueRef GraphBuilder::activate(GraphActivation activation, ValueRef x) {
  switch (activation) {
    case GraphActivation::kRelu:
      return relu(x);
    case GraphActivation::kRelu6:
      return elementwise("aten.hardtanh.default", x, {{"min_val", 0.0}, {"max_val", 6.0}});
    case GraphActivation::kHardSwish:
      return elementwise("aten.hardswish.default", x);
    case GraphActivation::kIdentity:
      break;
  }
  return x;
}

ValueRef GraphBuilder::dropout(ValueRef x, double probability) {
  return add_node("aten.dropout.default", {{"input", x}, {"p", probability}, {"train", false}},
                  graph_.values[x.value].shape);
}

ValueRef GraphBuilder::add(ValueRef x, ValueRef other) {
  return elementwise("aten.add.Tensor", x, {{"other", other}});
}

ValueRef GraphBuilder::mul(ValueRef x, ValueRef other, const std::string& module) {
  return elementwise("aten.mul.Tensor", x, {{"other", other}}, module);
}

ValueRef GraphBuilder::max_pool2d(ValueRef x, int64_t kernel, int64_t stride, int64_t padding) {
  return add_node("aten.max_pool2d.default",
                  {{"self", x},
                   {"kernel_size", repeated(kernel, 2)},
                   {"stride", repeated(stride, 2)},
                   {"padding", repeated(padding, 2)}},
                  slid(x, channels(x), kernel, stride, padding));
}

ValueRef GraphBuilder::mean(ValueRef x, bool keeps_sizes) {
  std::vector<int64_t> shape = {kAny, channels(x)};
  if (keeps_sizes) shape.insert(shape.end(), {1, 1});
  return add_node("aten.mean.dim",
                  {{"self", x},
                   {"dim", std::vector<ListItem>{int64_t{2}, int64_t{3}}},
                   {"keepdim", keeps_sizes}},
                  std::move(shape));
}

Graph GraphBuilder::finish(ValueRef logits) {
  graph_.output = logits.value;
  return std::move(graph_);
}

}  // namespace qbitopt
