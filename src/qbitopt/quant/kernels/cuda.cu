#include <algorithm>
#include <cfloat>

#include "qbitopt/quant/kernels/cuda.h"

namespace qbitopt::kernels::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int64_t kMostBlocks = 2048;  // enough to fill the largest GPU
constexpr int64_t kPerThread = 16;     // values that are worth a thread
constexpr int kSums = 3;               // range, squares, skipped

struct Sums {
  double range = 0, squares = 0, skipped = 0;
};

// What one row is quantised with.
struct Constants {
  __device__ Constants(const Shape& shape, float range) : n(shape.n), p(shape.p) {
    if (range < shape.floor) range = shape.floor;
    scale = range / shape.K;
    inverse_scale = shape.K / range;
  }
  float scale, inverse_scale, n, p;
};

// Comparisons are written so that a NaN passes through.
template <Activation kActivation>
__device__ float activate(float x) {
  if (kActivation == Activation::kIdentity) return x;
  const float positive = x < 0 ? 0 : x;
  return kActivation == Activation::kRelu6 && positive > 6 ? 6 : positive;
}

__device__ float code_of(float v, const Constants& c) {
  return rintf(v > c.p ? c.p : (v < c.n ? c.n : v));
}

template <Activation kActivation>
__device__ float forward_one(float x, const Constants& c) {
  return c.scale * code_of(activate<kActivation>(x) * c.inverse_scale, c);
}

// The masks are those of fake_quantize.h.
template <Activation kActivation, bool kUnsigned>
__device__ float backward_one(float x, float gradient, const Constants& c, Sums& sums) {
  const float v = activate<kActivation>(x) * c.inverse_scale;
  const bool inside = v >= c.n && v <= c.p;
  sums.range += gradient * (code_of(v, c) - (inside ? v : 0.0f));
  if (inside && (!kUnsigned || v > 0)) {
    const float square = gradient * gradient;
    if (square <= FLT_MAX) {
      sums.squares += square;
    } else {
      sums.skipped += 1;
    }
  }
  const bool open = inside && (kActivation == Activation::kIdentity || x > 0) &&
                    (kActivation != Activation::kRelu6 || x < 6);
  return open ? gradient : 0.0f;
}

// Calls work(value...) for this thread's share of a row, four at a time where memory allows.
template <typename Four, typename One>
__device__ void for_share(int64_t size, bool by_fours, const Four& four, const One& one) {
  const int64_t first = blockIdx.x * static_cast<int64_t>(kThreads) + threadIdx.x;
  const int64_t stride = static_cast<int64_t>(gridDim.x) * kThreads;
  if (by_fours) {
    for (int64_t i = first; i < size / 4; i += stride) four(i);
  } else {
    for (int64_t i = first; i < size; i += stride) one(i);
  }
}

template <Activation kActivation>
__global__ void forward_kernel(const float* __restrict__ x, float* __restrict__ out, Shape shape,
                               bool by_fours) {
  const int64_t row = blockIdx.y;
  const Constants c(shape, shape.range[row]);
  x += row * shape.size;
  out += row * shape.size;
  for_share(
      shape.size, by_fours,
      [&](int64_t i) {
        float4 a = reinterpret_cast<const float4*>(x)[i];
        a.x = forward_one<kActivation>(a.x, c);
        a.y = forward_one<kActivation>(a.y, c);
        a.z = forward_one<kActivation>(a.z, c);
        a.w = forward_one<kActivation>(a.w, c);
        reinterpret_cast<float4*>(out)[i] = a;
      },
      [&](int64_t i) { out[i] = forward_one<kActivation>(x[i], c); });
}

// The block's sum, in thread 0.
__device__ double block_sum(double value) {
  __shared__ double warps[kThreads / 32];
  for (int offset = 16; offset > 0; offset /= 2) {
    value += __shfl_down_sync(0xffffffff, value, offset);
  }
  __syncthreads();  // the array may still be read for the sum before
  if (threadIdx.x % 32 == 0) warps[threadIdx.x / 32] = value;
  __syncthreads();
  double sum = 0;
  if (threadIdx.x == 0) {
    for (const double warp : warps) sum += warp;
  }
  return sum;
}

__device__ void store_block_sums(const Sums& sums, double* to) {
  const double values[kSums] = {block_sum(sums.range), block_sum(sums.squares),
                                block_sum(sums.skipped)};
  if (threadIdx.x != 0) return;
  for (int k = 0; k < kSums; ++k) to[k] = values[k];
}

template <Activation kActivation, bool kUnsigned>
__global__ void backward_kernel(const float* __restrict__ x, const float* __restrict__ gradient,
                                float* __restrict__ dx, double* __restrict__ partial, Shape shape,
                                bool by_fours) {
  const int64_t row = blockIdx.y;
  const Constants c(shape, shape.range[row]);
  x += row * shape.size;
  gradient += row * shape.size;
  dx += row * shape.size;
  Sums sums;
  for_share(
      shape.size, by_fours,
      [&](int64_t i) {
        const float4 a = reinterpret_cast<const float4*>(x)[i];
        float4 g = reinterpret_cast<const float4*>(gradient)[i];
        g.x = backward_one<kActivation, kUnsigned>(a.x, g.x, c, sums);
        g.y = backward_one<kActivation, kUnsigned>(a.y, g.y, c, sums);
        g.z = backward_one<kActivation, kUnsigned>(a.z, g.z, c, sums);
        g.w = backward_one<kActivation, kUnsigned>(a.w, g.w, c, sums);
        reinterpret_cast<float4*>(dx)[i] = g;
      },
      [&](int64_t i) { dx[i] = backward_one<kActivation, kUnsigned>(x[i], gradient[i], c, sums); });
  store_block_sums(sums, partial + (row * gridDim.x + blockIdx.x) * kSums);
}

// One block a row adds what the row's blocks left.
__global__ void finish_kernel(const double* partial, int64_t blocks, float K, float* range_gradient,
                              double* sums) {
  const int64_t row = blockIdx.x;
  Sums mine;
  for (int64_t block = threadIdx.x; block < blocks; block += kThreads) {
    const double* from = partial + (row * blocks + block) * kSums;
    mine.range += from[0];
    mine.squares += from[1];
    mine.skipped += from[2];
  }
  double total[kSums];
  total[0] = block_sum(mine.range);
  total[1] = block_sum(mine.squares);
  total[2] = block_sum(mine.skipped);
  if (threadIdx.x != 0) return;
  range_gradient[row] = static_cast<float>(total[0] / K);
  sums[row] += total[1];
  if (total[2] > 0) atomicAdd(sums + gridDim.x, total[2]);  // whole numbers: any order is exact
}

// One block for all channels.
__global__ void fisher_kernel(double* state, const double* sums, const double* products,
                              int64_t channels, double samples, double loss_scale, double decay) {
  const double left_out = sums[channels];
  if (left_out == 0) {
    for (int64_t c = threadIdx.x; c < channels; c += kThreads) {
      double estimate = samples * sums[c];
      if (products) estimate = samples * (sums[c] - 2 * products[c]) + 4 * products[c];
      state[c] = decay * state[c] + (1 - decay) * estimate / (loss_scale * loss_scale);
    }
  }
  if (threadIdx.x != 0) return;
  if (left_out == 0) {
    state[channels] = decay * state[channels] + (1 - decay);
    state[channels + 1] += 1;
  }
  state[channels + 2] += left_out;
}

int64_t blocks_per_row(const Shape& shape) {
  const int64_t wanted = (shape.size + kThreads * kPerThread - 1) / (kThreads * kPerThread);
  return std::max<int64_t>(1, std::min(wanted, kMostBlocks / std::min(shape.rows, kMostBlocks)));
}

dim3 grid_of(const Shape& shape) {
  return dim3(static_cast<unsigned>(blocks_per_row(shape)), static_cast<unsigned>(shape.rows));
}

bool is_aligned(const void* pointer) { return reinterpret_cast<uintptr_t>(pointer) % 16 == 0; }

template <bool kUnsigned>
auto backward_for(Activation activation) {
  switch (activation) {
    case Activation::kRelu:
      return &backward_kernel<Activation::kRelu, kUnsigned>;
    case Activation::kRelu6:
      return &backward_kernel<Activation::kRelu6, kUnsigned>;
    case Activation::kIdentity:
    case Activation::kHardSwish:
      break;
  }
  return &backward_kernel<Activation::kIdentity, kUnsigned>;
}

auto forward_for(Activation activation) {
  switch (activation) {
    case Activation::kRelu:
      return &forward_kernel<Activation::kRelu>;
    case Activation::kRelu6:
      return &forward_kernel<Activation::kRelu6>;
    case Activation::kIdentity:
    case Activation::kHardSwish:
      break;
  }
  return &forward_kernel<Activation::kIdentity>;
}

}  // namespace

void forward(const float* x, float* out, const Shape& shape, Activation activation,
             cudaStream_t stream) {
  if (shape.rows * shape.size == 0) return;
  const bool by_fours = shape.size % 4 == 0 && is_aligned(x) && is_aligned(out);
  forward_for(activation)<<<grid_of(shape), kThreads, 0, stream>>>(x, out, shape, by_fours);
}

int64_t partial_sums(const Shape& shape) { return shape.rows * blocks_per_row(shape) * kSums; }

void backward(const float* x, const float* gradient, float* dx, float* range_gradient, double* sums,
              double* partial, const Shape& shape, Activation activation, cudaStream_t stream) {
  const bool by_fours =
      shape.size % 4 == 0 && is_aligned(x) && is_aligned(gradient) && is_aligned(dx);
  const auto kernel =
      shape.n < 0 ? backward_for<false>(activation) : backward_for<true>(activation);
  kernel<<<grid_of(shape), kThreads, 0, stream>>>(x, gradient, dx, partial, shape, by_fours);
  finish_kernel<<<static_cast<unsigned>(shape.rows), kThreads, 0, stream>>>(
      partial, blocks_per_row(shape), shape.K, range_gradient, sums);
}

void end_fisher_step(double* state, const double* sums, const double* products, int64_t channels,
                     double samples, double loss_scale, double decay, cudaStream_t stream) {
  fisher_kernel<<<1, kThreads, 0, stream>>>(state, sums, products, channels, samples, loss_scale,
                                            decay);
}

}  // namespace qbitopt::kernels::cuda
