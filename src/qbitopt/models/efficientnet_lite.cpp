#include "qbitopt/models/efficientnet_lite.h"

#include <optional>
#include <string>
#include <vector>

#include "qbitopt/models/conv_block.h"
#include "qbitopt/models/initialization.h"
#include "qbitopt/models/inverted_residual.h"

namespace qbitopt {
namespace {

constexpr int64_t kLiteStemChannels = 32, kLiteHeadChannels = 1280;

// n units: expand by t, depthwise k x k, project to c channels; the first has stride s.
struct Stage {
  int64_t t, kernel, c, n, s;
};
constexpr Stage kStages[] = {{1, 3, 16, 1, 1}, {6, 3, 24, 2, 2},  {6, 5, 40, 2, 2},
                             {6, 3, 80, 3, 2}, {6, 5, 112, 3, 1}, {6, 5, 192, 4, 2},
                             {6, 3, 320, 1, 1}};

InvertedResidual make_unit(Network& network, const std::string& path, int64_t in_channels,
                           int64_t stride, const Stage& stage, Activation input_activation) {
  InvertedResidualOptions options{.in_channels = in_channels,
                                  .hidden_channels = in_channels * stage.t,
                                  .out_channels = stage.c,
                                  .kernel = stage.kernel,
                                  .stride = stride,
                                  .input_activation = input_activation};
  if (stage.t == 1) {
    options.depthwise = {path + ".conv_dw", path + ".bn1"};
    options.projection = {path + ".conv_pw", path + ".bn2"};
  } else {
    options.expansion = {path + ".conv_pw", path + ".bn1"};
    options.depthwise = {path + ".conv_dw", path + ".bn2"};
    options.projection = {path + ".conv_pwl", path + ".bn3"};
  }
  return InvertedResidual(network, options);
}

class EfficientNetLite0 : public Network {
 public:
  EfficientNetLite0(const NetworkOptions& options, double dropout)
      : Network(options),
        stem_(*this, {.convolution = "conv_stem",
                      .batch_norm = "bn1",
                      .in_channels = options.image_channels,
                      .out_channels = kLiteStemChannels,
                      .stride = 2,
                      .activation = Activation::kRelu6}),
        dropout_(dropout) {
    int64_t channels = kLiteStemChannels;
    for (size_t stage = 0; stage < std::size(kStages); ++stage) {
      for (int64_t i = 0; i < kStages[stage].n; ++i) {
        const std::string path = "blocks." + std::to_string(stage) + "." + std::to_string(i);
        units_.push_back(make_unit(*this, path, channels, i == 0 ? kStages[stage].s : 1,
                                   kStages[stage],
                                   units_.empty() ? Activation::kRelu6 : Activation::kIdentity));
        channels = kStages[stage].c;
      }
    }
    head_.emplace(*this, ConvBlockOptions{.convolution = "conv_head",
                                          .batch_norm = "bn2",
                                          .in_channels = channels,
                                          .out_channels = kLiteHeadChannels,
                                          .kernel = 1,
                                          .activation = Activation::kRelu6});
    classifier_ = &add_linear_head(*this, "classifier", kLiteHeadChannels, /*signed_input=*/false);
    join_single_readers(stem_, units_, *head_);
    finish_sites();
    initialize_like_efficientnet(*this, *classifier_);
  }

  torch::Tensor forward(const torch::Tensor& images) override {
    torch::Tensor x = stem_(images);
    for (const InvertedResidual& unit : units_) x = unit(x);
    x = global_average_pool((*head_)(x));
    return classifier_->forward(torch::dropout(x, dropout_, is_training()));
  }

 private:
  ConvBlock stem_;
  std::vector<InvertedResidual> units_;
  std::optional<ConvBlock> head_;
  QuantizedLayer* classifier_ = nullptr;
  double dropout_;
};

}  // namespace

std::unique_ptr<Network> make_efficientnet_lite0(const NetworkOptions& options, double dropout) {
  return std::make_unique<EfficientNetLite0>(options, dropout);
}

}  // namespace qbitopt
