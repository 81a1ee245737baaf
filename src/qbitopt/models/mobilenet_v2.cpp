#include "qbitopt/models/mobilenet_v2.h"

#include <string>

#include "qbitopt/models/conv_block.h"
#include "qbitopt/models/initialization.h"

namespace qbitopt {
namespace {

struct InvertedResidual {
  std::vector<ConvBlock> blocks;  // expansion (unless t = 1), depthwise, projection
  bool has_residual = false;

  torch::Tensor operator()(const torch::Tensor& x) const {
    torch::Tensor y = x;
    for (const ConvBlock& block : blocks) y = block(y);
    return has_residual ? y + x : y;
  }
};

InvertedResidual add_inverted_residual(Network& network, const std::string& path,
                                       int64_t in_channels, int64_t out_channels, int64_t stride,
                                       int64_t expansion, bool signed_input) {
  const int64_t hidden = in_channels * expansion;
  InvertedResidual unit;
  unit.has_residual = stride == 1 && in_channels == out_channels;
  int index = 0;  // within torchvision's Sequential
  const auto add_activated = [&](ConvBlockOptions options) {
    const std::string prefix = path + ".conv." + std::to_string(index++);
    options.convolution = prefix + ".0";
    options.batch_norm = prefix + ".1";
    options.activation = Activation::kRelu6;
    options.signed_input = unit.blocks.empty() && signed_input;
    unit.blocks.emplace_back(network, options);
  };
  if (expansion != 1)
    add_activated({.in_channels = in_channels, .out_channels = hidden, .kernel = 1});
  add_activated(
      {.in_channels = hidden, .out_channels = hidden, .stride = stride, .groups = hidden});
  unit.blocks.emplace_back(
      network, ConvBlockOptions{.convolution = path + ".conv." + std::to_string(index),
                                .batch_norm = path + ".conv." + std::to_string(index + 1),
                                .in_channels = hidden,
                                .out_channels = out_channels,
                                .kernel = 1});
  for (size_t i = 0; i + 1 < unit.blocks.size(); ++i) unit.blocks[i].feeds(unit.blocks[i + 1]);
  return unit;
}

class MobileNetV2 : public Network {
 public:
  MobileNetV2(const MobileNetV2Shape& shape, const NetworkOptions& options)
      : Network(options),
        stem_(*this, {.convolution = "features.0.0",
                      .batch_norm = "features.0.1",
                      .in_channels = options.image_channels,
                      .out_channels = shape.stem_channels,
                      .stride = 2,
                      .activation = Activation::kRelu6}) {
    int64_t channels = shape.stem_channels;
    int index = 1;
    for (const InvertedResidualStage& stage : shape.stages) {
      for (int64_t i = 0; i < stage.n; ++i, ++index) {
        const bool follows_stem = index == 1;
        units_.push_back(add_inverted_residual(*this, "features." + std::to_string(index), channels,
                                               stage.c, i == 0 ? stage.s : 1, stage.t,
                                               /*signed_input=*/!follows_stem));
        channels = stage.c;
      }
    }
    const std::string head = "features." + std::to_string(index);
    head_.emplace_back(*this, ConvBlockOptions{.convolution = head + ".0",
                                               .batch_norm = head + ".1",
                                               .in_channels = channels,
                                               .out_channels = shape.head_channels,
                                               .kernel = 1,
                                               .activation = Activation::kRelu6});
    classifier_ =
        &add_linear_head(*this, "classifier.1", shape.head_channels, /*signed_input=*/false);
    dropout_ = shape.dropout;
    join_single_readers();
    finish_sites();
    initialize_convolutions(*this);
    initialize_linear_normal(*this, *classifier_, 0.01);
  }

  torch::Tensor forward(const torch::Tensor& images) override {
    torch::Tensor x = stem_(images);
    for (const InvertedResidual& unit : units_) x = unit(x);
    x = global_average_pool(head_.front()(x));
    return classifier_->forward(torch::dropout(x, dropout_, is_training()));
  }

 private:
  // A block's output has one reader where neither its own unit adds to it nor the next unit's
  // shortcut reads it.
  void join_single_readers() {
    if (!units_.front().has_residual) stem_.feeds(units_.front().blocks.front());
    for (size_t i = 0; i < units_.size(); ++i) {
      const bool is_last = i + 1 == units_.size();
      if (units_[i].has_residual || (!is_last && units_[i + 1].has_residual)) continue;
      units_[i].blocks.back().feeds(is_last ? head_.front() : units_[i + 1].blocks.front());
    }
  }

  ConvBlock stem_;
  std::vector<InvertedResidual> units_;
  std::vector<ConvBlock> head_;
  QuantizedLayer* classifier_ = nullptr;
  double dropout_ = 0;
};

}  // namespace

std::unique_ptr<Network> make_mobilenet_v2(const MobileNetV2Shape& shape,
                                           const NetworkOptions& options) {
  return std::make_unique<MobileNetV2>(shape, options);
}

MobileNetV2Shape mobilenet_v2_tiny_shape() {
  return {.stem_channels = 16,
          .stages = {{1, 16, 1, 1}, {4, 24, 2, 1}, {4, 32, 2, 2}, {4, 48, 2, 2}},
          .head_channels = 128};
}

}  // namespace qbitopt
