#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

#include "qbitopt/quant/activation.h"

// The loops of kernels.h on an NVIDIA GPU; forward gives the same bits. All pointers are to the
// device's memory, all work goes to `stream`, and nothing waits for it. Sums are taken in a fixed
// order, so the same input gives the same bits.
namespace qbitopt::kernels::cuda {

// What values are stored as. The arithmetic is float32's: 16 bits are what its answer is rounded
// to, as if the input had been widened before and the output narrowed afterwards.
enum class Stored { kFloat32, kFloat16, kBfloat16 };

// `rows` stretches of `size` values, each with the width range[row], on the grid n .. p of K steps.
struct Shape {
  int64_t rows = 1;
  int64_t size = 0;
  const float* range = nullptr;  // [rows]; below `floor` it counts as `floor`
  float floor = 0;
  float K = 1, n = 0, p = 1;
};

void forward(Stored type, const void* x, void* out, const Shape& shape, Activation activation,
             cudaStream_t stream);

// Values that backward() needs room for in `partial`.
int64_t partial_sums(const Shape& shape);

// `type` is that of x, gradient and dx. Writes dL/dx, dL/dr [rows], and adds to sums [rows + 1],
// zeros at first: the squared masked gradients of each row, and the number of gradients left out
// because their squares are not finite.
void backward(Stored type, const void* x, const void* gradient, void* dx, float* range_gradient,
              double* sums, double* partial, const Shape& shape, Activation activation,
              cudaStream_t stream);

// FisherEstimate::end_step() in one launch. state [channels + 3] and sums [channels + 1] as in
// fisher_estimate.h; products: of the halves, [channels], or null.
void end_fisher_step(double* state, const double* sums, const double* products, int64_t channels,
                     double samples, double loss_scale, double decay, cudaStream_t stream);

}  // namespace qbitopt::kernels::cuda
