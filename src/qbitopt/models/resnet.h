#pragma once

#include <memory>
#include <vector>

#include "qbitopt/models/network.h"

namespace qbitopt {

// A residual network (He et al., 2016).
struct ResNetShape {
  enum class Stem {
    kConvolution3x3,      // stride 1, for images of 28 or 32 pixels
    kConvolution7x7Pool,  // stride 2, then a 3x3 maximum with stride 2, for 224 pixels
  };
  Stem stem = Stem::kConvolution3x3;
  int64_t stem_channels = 16;
  // Every stage but the first halves height and width.
  std::vector<int64_t> stage_channels = {16, 32, 64};
  std::vector<int64_t> stage_blocks = {1, 1, 1};
  // 1: basic blocks of two 3x3 convolutions. Else bottlenecks (1x1, 3x3 with the stride, 1x1),
  // which give this many times the stage's channels.
  int64_t expansion = 1;
};

// Names as in torchvision's ResNet: conv1, bn1, layer1.0.conv1, ..., layer2.0.downsample.0, ...,
// fc. Quantized: every convolution, fc, and their inputs. Residual sums and the stream stay fp32. A
// block's input is quantized once, for its first convolution and its downsampling together.
std::unique_ptr<Network> make_resnet(const ResNetShape& shape, const NetworkOptions& options);

ResNetShape resnet8_shape();
ResNetShape resnet20_shape();
// 11,689,512 and 25,557,032 parameters with 1,000 classes. ResNet-50 is torchvision's: the stride
// lies in the 3x3 convolution.
ResNetShape resnet18_shape();
ResNetShape resnet50_shape();

}  // namespace qbitopt
