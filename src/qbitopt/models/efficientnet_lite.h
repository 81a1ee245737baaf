#pragma once

#include <memory>

#include "qbitopt/models/network.h"

namespace qbitopt {

// EfficientNet-Lite0 (Tan and Le, 2019, without squeeze-excite and with ReLU6), named as timm's
// efficientnet_lite0: 4,652,008 parameters with 1,000 classes. `dropout`: before the classifier, in
// training; timm's default is none.
//
// Quantized as MobileNetV2 is: every convolution, the classifier, and their inputs; projections'
// outputs are signed; residual sums stay fp32.
std::unique_ptr<Network> make_efficientnet_lite0(const NetworkOptions& options, double dropout = 0);

}  // namespace qbitopt
