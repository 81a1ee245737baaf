#pragma once

#include <cstdint>

#include "qbitopt/models/network.h"

namespace qbitopt {

// What all weights that may be quantized take if they are packed, each at its quantizer's bits; at
// 32 where none is attached. Of a measured network; rounded up to whole bytes.
int64_t weight_bytes(const Network& network);

}  // namespace qbitopt
