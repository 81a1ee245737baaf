#pragma once

#include "qbitopt/quant/torch.h"

namespace qbitopt {

// Straight-through estimators (Bengio et al., 2013): the integer forward, the gradient as it comes.
torch::Tensor round_straight_through(const torch::Tensor& x);  // half to even
torch::Tensor ceil_straight_through(const torch::Tensor& x);

// 2^bits levels evenly spread over [-limit, limit], ends included, 0 not among them:
//
//   x_hat = limit * (2 round(K u) / K - 1),  u = clamp((x / limit + 1) / 2, 0, 1),  K = 2^bits - 1
//
// limit: [1], > 0. Gradients are those of fake_quantize: dx_hat/dx = 1 inside, else 0;
// dx_hat/dlimit = +-1 outside.
torch::Tensor quantize_midrise(const torch::Tensor& x, const torch::Tensor& limit, int bits);

}  // namespace qbitopt
