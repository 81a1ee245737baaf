#pragma once

#include <memory>
#include <vector>

#include "qbitopt/models/network.h"

namespace qbitopt {

// n inverted residual blocks (Sandler et al., 2018, table 2): expand by t, depthwise 3x3, project
// to c channels; the first has stride s.
struct InvertedResidualStage {
  int64_t t, c, n, s;
};

struct MobileNetV2Shape {
  int64_t stem_channels = 32;
  std::vector<InvertedResidualStage> stages;
  int64_t head_channels = 1280;
  double dropout = 0;  // before the classifier, in training
};

// Names as in torchvision.models.mobilenet_v2. ReLU6 clips at 6 also where a quantizer absorbs it.
// Quantized: every convolution, the classifier, and their inputs. The outputs of the linear
// bottlenecks (signed) and the residual sums stay fp32; the expansion quantizes its input after the
// branch point.
std::unique_ptr<Network> make_mobilenet_v2(const MobileNetV2Shape& shape,
                                           const NetworkOptions& options);

// Of the paper and torchvision, for 224x224 images: 3,504,872 parameters with 1,000 classes.
MobileNetV2Shape mobilenet_v2_shape();
// For 28x28 images: stem 16, stages (1,16,1,1) (4,24,2,1) (4,32,2,2) (4,48,2,2), head 128. 23
// quantized layers.
MobileNetV2Shape mobilenet_v2_tiny_shape();

}  // namespace qbitopt
