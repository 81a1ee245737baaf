#include "qbitopt/models/resnet.h"

#include <optional>
#include <string>

#include "qbitopt/models/conv_block.h"
#include "qbitopt/models/initialization.h"

namespace qbitopt {
namespace {

// Takes and returns the stream BEFORE its ReLU: where a block downsamples, the quantizer of its
// input is the only reader of the stream and absorbs the ReLU.
class Block {
 public:
  Block(Network& network, const std::string& path, int64_t in_channels, int64_t channels,
        int64_t expansion, int64_t stride) {
    const int64_t out_channels = channels * expansion;
    const auto add = [&](int64_t in, int64_t out, int64_t kernel, int64_t convolution_stride,
                         Activation activation) {
      const std::string index = std::to_string(residual_.size() + 1);
      residual_.emplace_back(network, ConvBlockOptions{.convolution = path + ".conv" + index,
                                                       .batch_norm = path + ".bn" + index,
                                                       .in_channels = in,
                                                       .out_channels = out,
                                                       .kernel = kernel,
                                                       .stride = convolution_stride,
                                                       .activation = activation,
                                                       .signed_input = false});
    };
    if (expansion == 1) {
      add(in_channels, channels, 3, stride, Activation::kRelu);
      add(channels, out_channels, 3, 1, Activation::kIdentity);
    } else {
      add(in_channels, channels, 1, 1, Activation::kRelu);
      add(channels, channels, 3, stride, Activation::kRelu);
      add(channels, out_channels, 1, 1, Activation::kIdentity);
    }
    for (size_t i = 0; i + 1 < residual_.size(); ++i) residual_[i].feeds(residual_[i + 1]);
    if (stride == 1 && in_channels == out_channels) return;
    ConvBlock& first = residual_.front();
    downsample_.emplace(network, ConvBlockOptions{.convolution = path + ".downsample.0",
                                                  .batch_norm = path + ".downsample.1",
                                                  .in_channels = in_channels,
                                                  .out_channels = out_channels,
                                                  .kernel = 1,
                                                  .stride = stride,
                                                  .shared_input = &first.input_site()});
    first.input_site().spec().absorbs = Activation::kRelu;
    first.layer().expect_quantized_input();
    downsample_->layer().expect_quantized_input();
  }

  torch::Tensor operator()(const torch::Tensor& stream) const {
    const torch::Tensor x =
        downsample_ ? residual_.front().input_site()(stream) : torch::relu(stream);
    torch::Tensor residual = x;
    for (const ConvBlock& block : residual_) residual = block(residual);
    return residual + (downsample_ ? (*downsample_)(x) : x);
  }

 private:
  std::vector<ConvBlock> residual_;
  std::optional<ConvBlock> downsample_;
};

class ResNet : public Network {
 public:
  ResNet(const ResNetShape& shape, const NetworkOptions& options)
      : Network(options),
        stem_(*this, {.convolution = "conv1",
                      .batch_norm = "bn1",
                      .in_channels = options.image_channels,
                      .out_channels = shape.stem_channels,
                      .kernel = shape.stem == ResNetShape::Stem::kConvolution3x3 ? 3 : 7,
                      .stride = shape.stem == ResNetShape::Stem::kConvolution3x3 ? 1 : 2}),
        pools_(shape.stem == ResNetShape::Stem::kConvolution7x7Pool) {
    int64_t channels = shape.stem_channels;
    for (size_t stage = 0; stage < shape.stage_channels.size(); ++stage) {
      for (int64_t i = 0; i < shape.stage_blocks[stage]; ++i) {
        const std::string path = "layer" + std::to_string(stage + 1) + "." + std::to_string(i);
        blocks_.emplace_back(*this, path, channels, shape.stage_channels[stage], shape.expansion,
                             stage > 0 && i == 0 ? 2 : 1);
        channels = shape.stage_channels[stage] * shape.expansion;
      }
    }
    fc_ = &add_linear_head(*this, "fc", channels, /*signed_input=*/false);
    finish_sites();
    initialize_convolutions(*this);
    initialize_linear_uniform(*this, *fc_);
  }

  torch::Tensor forward(const torch::Tensor& images) override {
    torch::Tensor stream = stem_(images);
    // The maximum commutes with the ReLU that the first block applies.
    if (pools_) stream = torch::max_pool2d(stream, 3, 2, 1);
    for (const Block& block : blocks_) stream = block(stream);
    return fc_->forward(global_average_pool(torch::relu(stream)));
  }

 private:
  ConvBlock stem_;
  bool pools_;
  std::vector<Block> blocks_;
  QuantizedLayer* fc_ = nullptr;
};

}  // namespace

std::unique_ptr<Network> make_resnet(const ResNetShape& shape, const NetworkOptions& options) {
  return std::make_unique<ResNet>(shape, options);
}

ResNetShape resnet8_shape() { return {.stage_blocks = {1, 1, 1}}; }
ResNetShape resnet20_shape() { return {.stage_blocks = {3, 3, 3}}; }

ResNetShape resnet18_shape() {
  return {.stem = ResNetShape::Stem::kConvolution7x7Pool,
          .stem_channels = 64,
          .stage_channels = {64, 128, 256, 512},
          .stage_blocks = {2, 2, 2, 2}};
}

ResNetShape resnet50_shape() {
  return {.stem = ResNetShape::Stem::kConvolution7x7Pool,
          .stem_channels = 64,
          .stage_channels = {64, 128, 256, 512},
          .stage_blocks = {3, 4, 6, 3},
          .expansion = 4};
}

}  // namespace qbitopt
