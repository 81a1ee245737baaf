#include "qbitopt/models/resnet.h"

#include <optional>
#include <string>

#include "qbitopt/models/conv_block.h"
#include "qbitopt/models/initialization.h"

namespace qbitopt {
namespace {

// Takes and returns the stream BEFORE its ReLU: where a block downsamples, the quantiser of its
// input is the only reader of the stream and absorbs the ReLU.
class BasicBlock {
 public:
  BasicBlock(Network& network, const std::string& path, int64_t in_channels, int64_t out_channels,
             int64_t stride)
      : first_(network, {.convolution = path + ".conv1",
                         .batch_norm = path + ".bn1",
                         .in_channels = in_channels,
                         .out_channels = out_channels,
                         .stride = stride,
                         .activation = Activation::kRelu,
                         .signed_input = false}),
        second_(network, {.convolution = path + ".conv2",
                          .batch_norm = path + ".bn2",
                          .in_channels = out_channels,
                          .out_channels = out_channels}) {
    first_.feeds(second_);
    if (stride == 1 && in_channels == out_channels) return;
    downsample_.emplace(network, ConvBlockOptions{.convolution = path + ".downsample.0",
                                                  .batch_norm = path + ".downsample.1",
                                                  .in_channels = in_channels,
                                                  .out_channels = out_channels,
                                                  .kernel = 1,
                                                  .stride = stride,
                                                  .shared_input = &first_.input_site()});
    first_.input_site().spec().absorbs = Activation::kRelu;
    first_.layer().expect_quantized_input();
    downsample_->layer().expect_quantized_input();
  }

  torch::Tensor operator()(const torch::Tensor& stream) const {
    const torch::Tensor x = downsample_ ? first_.input_site()(stream) : torch::relu(stream);
    const torch::Tensor residual = second_(first_(x));
    return residual + (downsample_ ? (*downsample_)(x) : x);
  }

 private:
  ConvBlock first_;
  ConvBlock second_;
  std::optional<ConvBlock> downsample_;
};

class ResNet : public Network {
 public:
  ResNet(const ResNetShape& shape, const NetworkOptions& options)
      : Network(options),
        stem_(*this, {.convolution = "conv1",
                      .batch_norm = "bn1",
                      .in_channels = options.image_channels,
                      .out_channels = shape.stem_channels}) {
    int64_t channels = shape.stem_channels;
    for (size_t stage = 0; stage < shape.stage_channels.size(); ++stage) {
      for (int64_t i = 0; i < shape.blocks_per_stage; ++i) {
        const std::string path = "layer" + std::to_string(stage + 1) + "." + std::to_string(i);
        blocks_.emplace_back(*this, path, channels, shape.stage_channels[stage],
                             stage > 0 && i == 0 ? 2 : 1);
        channels = shape.stage_channels[stage];
      }
    }
    fc_ = &add_linear_head(*this, "fc", channels, /*signed_input=*/false);
    finish_sites();
    initialize_convolutions(*this);
    initialize_linear_uniform(*this, *fc_);
  }

  torch::Tensor forward(const torch::Tensor& images) override {
    torch::Tensor stream = stem_(images);
    for (const BasicBlock& block : blocks_) stream = block(stream);
    return fc_->forward(global_average_pool(torch::relu(stream)));
  }

 private:
  ConvBlock stem_;
  std::vector<BasicBlock> blocks_;
  QuantizedLayer* fc_ = nullptr;
};

}  // namespace

std::unique_ptr<Network> make_resnet(const ResNetShape& shape, const NetworkOptions& options) {
  return std::make_unique<ResNet>(shape, options);
}

ResNetShape resnet8_shape() { return {.blocks_per_stage = 1}; }
ResNetShape resnet20_shape() { return {.blocks_per_stage = 3}; }

}  // namespace qbitopt
