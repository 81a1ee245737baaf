#pragma once

#include <memory>

#include "qbitopt/models/network.h"

namespace qbitopt {

// MobileNetV3-Small (Howard et al., 2019, table 2), named as in
// torchvision.models.mobilenet_v3_small: 2,542,856 parameters with 1,000 classes. `dropout`: before
// the last layer, in training.
//
// Quantized: every convolution, both linear layers, and their inputs; in squeeze-excite units both
// layers, their inputs and the factors (unsigned, `<unit>.gate.input`). What comes out of
// hard-swish, scaled or pooled or not, is read by quantizers with a learned offset; projections'
// outputs are signed; residual sums stay fp32. Batch norm has torchvision's epsilon 1e-3 and
// momentum 0.01.
std::unique_ptr<Network> make_mobilenet_v3_small(const NetworkOptions& options,
                                                 double dropout = 0.2);

}  // namespace qbitopt
