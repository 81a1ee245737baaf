#pragma once

#include <memory>

#include "qbitopt/quant/fisher_estimate.h"
#include "qbitopt/quant/grid.h"
#include "qbitopt/quant/quantizer.h"
#include "qbitopt/quant/torch.h"

namespace qbitopt {

// A range below this counts as this: a width that reaches zero would divide by it.
inline constexpr double kRangeFloor = 1e-6;

// Simulated quantization with a learned width (LSQ, Esser et al., 2020), after the absorbed
// activation:
//
//   a = activation(x),  s = r / K,  v = a / s,  x_hat = s * round(clamp(v, n, p))
//   dx_hat/da = 1 where n <= v <= p, else 0
//   dx_hat/ds = round(v) - v inside,  n below,  p above
//   dL/dr = (dL/ds) / K
//
// round: half to even. The mask is on the unrounded v; da/dx as PyTorch's relu, relu6.
//
// One pass over the data forward and one backward, which yields dx, dL/dr and the squared gradients
// of `fisher` together: the sum over n <= v <= p on signed grids and n < v <= p on unsigned ones
// (an exact zero has no rounding error). Float32 by kernels: vectorized and threaded on the CPU,
// and on NVIDIA GPUs, where they also read and write 16 bits; other devices and types by tensor
// operations. Values do not depend on the number of threads.
//
// x: any shape and dense memory format (kept). range: [1], or [x.size(0)] for one width a channel;
// the type of x, or float32 where quantizes_sixteen_bits(x). fisher: undefined in tests and
// evaluation; else receives one add() a backward pass. Differentiable twice, through the
// straight-through gradient, if the first backward creates a graph.
torch::Tensor fake_quantize(const torch::Tensor& x, const torch::Tensor& range, const Grid& grid,
                            Activation activation = Activation::kIdentity,
                            std::shared_ptr<FisherEstimate> fisher = nullptr);

// The range, at least kRangeFloor, shaped to go with x: [1], or [channels, 1, 1, ...] for
// one width a channel.
torch::Tensor broadcast_range(const torch::Tensor& range, const torch::Tensor& x);

// True for float16 and bfloat16 where kernels compute in float32 from them: the answer is that of
// the widened x, rounded to its type.
bool quantizes_sixteen_bits(const torch::Tensor& x);

}  // namespace qbitopt
