#pragma once

#include <cstdint>
#include <vector>

#include "qbitopt/quant/activation.h"

// The loops over raw memory behind fake_quantize(). Free of LibTorch, because one source is
// compiled once for each instruction set and the best one is chosen when the program runs. All sets
// give the same bits: sums are kept in 16 lanes whatever the width of a register, and
// multiplications and additions are never contracted.
namespace qbitopt::kernels {

// A grid at one width; see grid.h.
struct Constants {
  float scale;          // s = r / K
  float inverse_scale;  // K / r
  float n, p;           // lowest and highest code; |n|, |p| < 2^22
};

struct GradientSums {
  double range = 0;     // K dL/dr = dL/ds
  double squares = 0;   // of the masked incoming gradients
  int64_t skipped = 0;  // gradients left out of `squares`: they or their squares are not finite
};

// What follows the affine part of a batch norm: an activation and, if `constants` is not null, a
// grid.
struct Rounding {
  const Constants* constants = nullptr;
  Activation activation = Activation::kIdentity;
};

// The loops of batch_norm_quantize() over rows of `lanes` elements, a multiple of 16, lane by lane:
// x [rows, lanes], y = x scale + shift, z = rounding(y). Arrays of one number a lane: scale, shift,
// center and what has "sum" in its name.
struct BatchNormKernels {
  // Sums of x - center and (x - center)^2.
  void (*moments)(const float* x, int64_t rows, int64_t lanes, const float* center, float* sum,
                  float* sum_of_squares);

  // z; kHardSwish counts as kIdentity.
  void (*forward)(const float* x, float* z, int64_t rows, int64_t lanes, const float* scale,
                  const float* shift, const Rounding& rounding);

  // gradient: dL/dz. Sums of dL/dy and of dL/dy (x - center); returns those of the grid.
  GradientSums (*gradient_sums)(const float* x, const float* gradient, int64_t rows, int64_t lanes,
                                const float* scale, const float* shift, const float* center,
                                const Rounding& rounding, float* sum, float* sum_of_products);

  // dx = scale dL/dy + slope x + offset.
  void (*backward)(const float* x, const float* gradient, float* dx, int64_t rows, int64_t lanes,
                   const float* scale, const float* shift, const float* slope, const float* offset,
                   const Rounding& rounding);
};

struct Kernels {
  const char* name;  // "avx512", "avx2", "baseline"

  // out[i] = s round(clamp(a / s, n, p)) with a = activation(x[i]). kHardSwish counts as kIdentity:
  // callers apply it before.
  void (*forward)(const float* x, float* out, int64_t count, const Constants& constants,
                  Activation activation);

  // gradient: dL/dout. Writes dL/dx and returns the sums; see fake_quantize.h for the masks.
  GradientSums (*backward)(const float* x, const float* gradient, float* dx, int64_t count,
                           const Constants& constants, Activation activation);

  // Sum of (x - x_hat)^2.
  double (*squared_error)(const float* x, int64_t count, const Constants& constants);

  BatchNormKernels batch_norm;
};

// What this processor can run, best first; the last one is "baseline".
const std::vector<Kernels>& available_kernels();

inline const Kernels& best_kernels() { return available_kernels().front(); }

}  // namespace qbitopt::kernels
