#pragma once

#include "qbitopt/quant/kernels/kernels.h"

// The kernels for the processor that compiled them, once as they are and once without the sum of
// squared gradients that `fit` reads.
namespace qbitopt::kernels {

extern const Kernels kWithSquares;
extern const Kernels kWithoutSquares;

}  // namespace qbitopt::kernels
