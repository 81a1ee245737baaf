#include "qbitopt/models/mobilenet_v3.h"

#include <optional>
#include <string>
#include <vector>

#include "qbitopt/models/conv_block.h"
#include "qbitopt/models/initialization.h"
#include "qbitopt/models/inverted_residual.h"

namespace qbitopt {
namespace {

constexpr BatchNormOptions kBatchNorm{.epsilon = 1e-3, .momentum = 0.01};
constexpr int64_t kV3StemChannels = 16, kV3HeadChannels = 576, kHiddenFeatures = 1024;

// A row of table 2: kernel, expanded and output channels, squeeze-excite, activation, stride.
struct Row {
  int64_t kernel, hidden, out;
  bool squeezes;
  Activation activation;
  int64_t stride;
};
constexpr Row kRows[] = {
    {3, 16, 16, true, Activation::kRelu, 2},       {3, 72, 24, false, Activation::kRelu, 2},
    {3, 88, 24, false, Activation::kRelu, 1},      {5, 96, 40, true, Activation::kHardSwish, 2},
    {5, 240, 40, true, Activation::kHardSwish, 1}, {5, 240, 40, true, Activation::kHardSwish, 1},
    {5, 120, 48, true, Activation::kHardSwish, 1}, {5, 144, 48, true, Activation::kHardSwish, 1},
    {5, 288, 96, true, Activation::kHardSwish, 2}, {5, 576, 96, true, Activation::kHardSwish, 1},
    {5, 576, 96, true, Activation::kHardSwish, 1}};

// A quarter of the channels, rounded to a multiple of 8, but not down by more than a tenth.
int64_t squeezed(int64_t channels) {
  const int64_t quarter = channels / 4;
  const int64_t rounded = std::max<int64_t>(8, (quarter + 4) / 8 * 8);
  return 10 * rounded < 9 * quarter ? rounded + 8 : rounded;
}

InvertedResidual make_unit(Network& network, int index, int64_t in_channels, const Row& row) {
  const std::string path = "features." + std::to_string(index) + ".block.";
  int layer = 0;  // within torchvision's Sequential
  const auto names = [&] {
    const std::string prefix = path + std::to_string(layer++);
    return InvertedResidualOptions::Names{prefix + ".0", prefix + ".1"};
  };
  InvertedResidualOptions options{
      .in_channels = in_channels,
      .hidden_channels = row.hidden,
      .out_channels = row.out,
      .kernel = row.kernel,
      .stride = row.stride,
      .activation = row.activation,
      .input_activation = index == 1 ? Activation::kHardSwish : Activation::kIdentity,
      .normalization = kBatchNorm};
  if (row.hidden != in_channels) options.expansion = names();
  options.depthwise = names();
  if (row.squeezes) {
    options.squeeze_path = path + std::to_string(layer++);
    options.squeezed_channels = squeezed(row.hidden);
  }
  options.projection = names();
  return InvertedResidual(network, options);
}

class MobileNetV3Small : public Network {
 public:
  MobileNetV3Small(const NetworkOptions& options, double dropout)
      : Network(options),
        stem_(*this, {.convolution = "features.0.0",
                      .batch_norm = "features.0.1",
                      .in_channels = options.image_channels,
                      .out_channels = kV3StemChannels,
                      .stride = 2,
                      .activation = Activation::kHardSwish,
                      .normalization = kBatchNorm}),
        dropout_(dropout) {
    int64_t channels = kV3StemChannels;
    int index = 1;
    for (const Row& row : kRows) {
      units_.push_back(make_unit(*this, index++, channels, row));
      channels = row.out;
    }
    const std::string head = "features." + std::to_string(index);
    head_.emplace(*this, ConvBlockOptions{.convolution = head + ".0",
                                          .batch_norm = head + ".1",
                                          .in_channels = channels,
                                          .out_channels = kV3HeadChannels,
                                          .kernel = 1,
                                          .activation = Activation::kHardSwish,
                                          .normalization = kBatchNorm});
    hidden_ = &add_layer("classifier.0", {.kind = LayerOptions::Kind::kLinear,
                                          .in_channels = kV3HeadChannels,
                                          .out_channels = kHiddenFeatures,
                                          .bias = true});
    classifier_ = &add_linear_head(*this, "classifier.3", kHiddenFeatures, /*signed_input=*/false);
    describe_output_of(Activation::kHardSwish, hidden_->input_site().spec());
    describe_output_of(Activation::kHardSwish, classifier_->input_site().spec());
    join_single_readers(stem_, units_, *head_);
    finish_sites();
    initialize_convolutions(*this);
    initialize_linear_normal(*this, *hidden_, 0.01);
    initialize_linear_normal(*this, *classifier_, 0.01);
  }

  torch::Tensor forward(const torch::Tensor& images) override {
    torch::Tensor x = stem_(images);
    for (const InvertedResidual& unit : units_) x = unit(x);
    const torch::Tensor features = hidden_->forward(global_average_pool((*head_)(x)));
    return classifier_->forward(
        torch::dropout(torch::hardswish(features), dropout_, is_training()));
  }

 private:
  ConvBlock stem_;
  std::vector<InvertedResidual> units_;
  std::optional<ConvBlock> head_;
  QuantizedLayer* hidden_ = nullptr;
  QuantizedLayer* classifier_ = nullptr;
  double dropout_;
};

}  // namespace

std::unique_ptr<Network> make_mobilenet_v3_small(const NetworkOptions& options, double dropout) {
  return std::make_unique<MobileNetV3Small>(options, dropout);
}

}  // namespace qbitopt
