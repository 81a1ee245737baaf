#pragma once

#include "qbitopt/quant/grid.h"
#include "qbitopt/quant/kernels/kernels.h"
#include "qbitopt/quant/torch.h"

namespace qbitopt {

// `value` with the elements in the same memory order as in `like`.
torch::Tensor in_order_of(const torch::Tensor& value, const torch::Tensor& like);

// A width as the kernels take it.
kernels::Constants constants_of(float range, const Grid& grid);

}  // namespace qbitopt
