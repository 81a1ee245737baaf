#pragma once

#include <memory>
#include <vector>

#include "qbitopt/models/network.h"

namespace qbitopt {

// A residual network of basic blocks (He et al., 2016).
struct ResNetShape {
  int64_t stem_channels = 16;  // 3x3, stride 1
  std::vector<int64_t> stage_channels = {16, 32,
                                         64};  // every stage but the first halves height and width
  int64_t blocks_per_stage = 1;
};

// Names as in torchvision's ResNet: conv1, bn1, layer1.0.conv1, ..., layer2.0.downsample.0, ...,
// fc. Quantised: every convolution, fc, and their inputs. Residual sums and the stream stay fp32. A
// block's input is quantised once, for its first convolution and its downsampling together.
std::unique_ptr<Network> make_resnet(const ResNetShape& shape, const NetworkOptions& options);

ResNetShape resnet8_shape();
ResNetShape resnet20_shape();

}  // namespace qbitopt
