#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "qbitopt/graph/graph.h"

namespace qbitopt {

// Writes a network down, operator by operator, as torch.export would: each method appends one and
// returns its value. Operators with parameters are given the path of their module
// ("layer1.0.conv1"), by which these are named ("layer1.0.conv1.weight"), and learn the number of
// channels from `x`.
//
//   GraphBuilder g(/*image_channels=*/3);
//   ValueRef x = g.conv2d("conv1", g.images(), {.out_channels = 16});
//   x = g.relu(g.batch_norm("bn1", x));
//   return g.finish(g.linear("fc", g.mean(x), classes));
class GraphBuilder {
 public:
  // Images of [batch, image_channels, any height, any width].
  explicit GraphBuilder(int64_t image_channels);

  struct Convolution {
    int64_t out_channels = 1;
    int64_t kernel = 3;  // square, padded so that stride 1 keeps the size
    int64_t stride = 1;
    int64_t groups = 1;
    bool bias = false;
  };
  struct Normalization {
    double epsilon = 1e-5;
    double momentum = 0.1;  // weight of a new batch in the running statistics
  };

  ValueRef images() const { return {graph_.input}; }
  ValueRef conv2d(const std::string& path, ValueRef x, const Convolution& options);
  ValueRef batch_norm(const std::string& path, ValueRef x, const Normalization& options);
  ValueRef batch_norm(const std::string& path, ValueRef x) { return batch_norm(path, x, {}); }
  ValueRef linear(const std::string& path, ValueRef x, int64_t out_features, bool bias = true);

  ValueRef relu(ValueRef x) { return elementwise("aten.relu.default", x); }
  ValueRef hardsigmoid(ValueRef x) { return elementwise("aten.hardsigmoid.default", x); }
  // kIdentity: `x` itself.
  ValueRef activate(GraphActivation activation, ValueRef x);
  ValueRef dropout(ValueRef x, double probability);  // in training
  ValueRef add(ValueRef x, ValueRef other);
  // `module`: path of the module that multiplies; after it a gate is named (GraphSite::layer).
  ValueRef mul(ValueRef x, ValueRef other, const std::string& module = "");

  ValueRef max_pool2d(ValueRef x, int64_t kernel, int64_t stride, int64_t padding);
  // Over height and width: [batch, channels, height, width] -> [batch, channels], or with
  // `keeps_sizes` [batch, channels, 1, 1].
  ValueRef mean(ValueRef x, bool keeps_sizes = false);

  // Size of dimension 1.
  int64_t channels(ValueRef x) const { return graph_.values[x.value].shape[1]; }

  // The network that returns these logits, [batch, classes]. Ends the use of the builder.
  Graph finish(ValueRef logits);

 private:
  size_t add_value(std::string name, std::vector<int64_t> shape, const char* type = "F32");
  ValueRef add_tensor(const std::string& name, std::vector<int64_t> shape,
                      GraphTensor::Kind kind = GraphTensor::Kind::kParameter,
                      const char* type = "F32");
  ValueRef add_node(const std::string& target, std::vector<NamedArgument> arguments,
                    std::vector<int64_t> shape, const std::string& module = "");
  // Shape of what a window that slides over `x` makes.
  std::vector<int64_t> slid(ValueRef x, int64_t out_channels, int64_t kernel, int64_t stride,
                            int64_t padding) const;
  ValueRef elementwise(const std::string& target, ValueRef x, std::vector<NamedArgument> more = {},
                       const std::string& module = "");

  Graph graph_;
  std::map<std::string, int> counts_;  // of values by name, to number those that recur
};

}  // namespace qbitopt
