#include "qbitopt/models/mobilenet_v2.h"

#include <string>

#include "qbitopt/models/conv_block.h"
#include "qbitopt/models/initialization.h"
#include "qbitopt/models/inverted_residual.h"

namespace qbitopt {
namespace {

InvertedResidual make_unit(Network& network, const std::string& path, int64_t in_channels,
                           int64_t stride, const InvertedResidualStage& stage,
                           Activation input_activation) {
  int index = 0;  // within torchvision's Sequential
  const auto activated = [&] {
    const std::string prefix = path + ".conv." + std::to_string(index++);
    return InvertedResidualOptions::Names{prefix + ".0", prefix + ".1"};
  };
  InvertedResidualOptions options{.in_channels = in_channels,
                                  .hidden_channels = in_channels * stage.t,
                                  .out_channels = stage.c,
                                  .stride = stride,
                                  .input_activation = input_activation};
  if (stage.t != 1) options.expansion = activated();
  options.depthwise = activated();
  options.projection = {path + ".conv." + std::to_string(index),
                        path + ".conv." + std::to_string(index + 1)};
  return InvertedResidual(network, options);
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
        units_.push_back(make_unit(*this, "features." + std::to_string(index), channels,
                                   i == 0 ? stage.s : 1, stage,
                                   index == 1 ? Activation::kRelu6 : Activation::kIdentity));
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
    join_single_readers(stem_, units_, head_.front());
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

MobileNetV2Shape mobilenet_v2_shape() {
  return {.stem_channels = 32,
          .stages = {{1, 16, 1, 1},
                     {6, 24, 2, 2},
                     {6, 32, 3, 2},
                     {6, 64, 4, 2},
                     {6, 96, 3, 1},
                     {6, 160, 3, 2},
                     {6, 320, 1, 1}},
          .head_channels = 1280,
          .dropout = 0.2};
}

MobileNetV2Shape mobilenet_v2_tiny_shape() {
  return {.stem_channels = 16,
          .stages = {{1, 16, 1, 1}, {4, 24, 2, 1}, {4, 32, 2, 2}, {4, 48, 2, 2}},
          .head_channels = 128};
}

}  // namespace qbitopt
