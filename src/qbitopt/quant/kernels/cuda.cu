#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <algorithm>
#include <cfloat>
#include <initializer_list>

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

// What one row is quantized with.
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

__device__ float widen(float value) { return value; }
__device__ float widen(__half value) { return __half2float(value); }
__device__ float widen(__nv_bfloat16 value) { return __bfloat162float(value); }
__device__ void narrow(float value, float& to) { to = value; }
__device__ void narrow(float value, __half& to) { to = __float2half_rn(value); }
__device__ void narrow(float value, __nv_bfloat16& to) { to = __float2bfloat16_rn(value); }

// As many values as memory moves in one access.
template <typename T>
struct alignas(16) Pack {
  static constexpr int kSize = 16 / sizeof(T);
  T value[kSize];
};

// Calls work(first value) for this thread's share of a row, a Pack at a time where memory allows.
template <typename T, typename Many, typename One>
__device__ void for_share(int64_t size, bool by_packs, const Many& many, const One& one) {
  const int64_t first = blockIdx.x * static_cast<int64_t>(kThreads) + threadIdx.x;
  const int64_t stride = static_cast<int64_t>(gridDim.x) * kThreads;
  if (by_packs) {
    for (int64_t i = first; i < size / Pack<T>::kSize; i += stride) many(i);
  } else {
    for (int64_t i = first; i < size; i += stride) one(i);
  }
}

template <typename T, Activation kActivation>
__global__ void forward_kernel(const T* __restrict__ x, T* __restrict__ out, Shape shape,
                               bool by_packs) {
  const int64_t row = blockIdx.y;
  const Constants c(shape, shape.range[row]);
  x += row * shape.size;
  out += row * shape.size;
  for_share<T>(
      shape.size, by_packs,
      [&](int64_t i) {
        Pack<T> a = reinterpret_cast<const Pack<T>*>(x)[i];
#pragma unroll
        for (T& value : a.value) narrow(forward_one<kActivation>(widen(value), c), value);
        reinterpret_cast<Pack<T>*>(out)[i] = a;
      },
      [&](int64_t i) { narrow(forward_one<kActivation>(widen(x[i]), c), out[i]); });
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

template <typename T, Activation kActivation, bool kUnsigned>
__global__ void backward_kernel(const T* __restrict__ x, const T* __restrict__ gradient,
                                T* __restrict__ dx, double* __restrict__ partial, Shape shape,
                                bool by_packs) {
  const int64_t row = blockIdx.y;
  const Constants c(shape, shape.range[row]);
  x += row * shape.size;
  gradient += row * shape.size;
  dx += row * shape.size;
  Sums sums;
  const auto one = [&](T x, T gradient, T& dx) {
    narrow(backward_one<kActivation, kUnsigned>(widen(x), widen(gradient), c, sums), dx);
  };
  for_share<T>(
      shape.size, by_packs,
      [&](int64_t i) {
        const Pack<T> a = reinterpret_cast<const Pack<T>*>(x)[i];
        Pack<T> g = reinterpret_cast<const Pack<T>*>(gradient)[i];
#pragma unroll
        for (int k = 0; k < Pack<T>::kSize; ++k) one(a.value[k], g.value[k], g.value[k]);
        reinterpret_cast<Pack<T>*>(dx)[i] = g;
      },
      [&](int64_t i) { one(x[i], gradient[i], dx[i]); });
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

template <typename T, bool kUnsigned>
auto backward_for(Activation activation) {
  switch (activation) {
    case Activation::kRelu:
      return &backward_kernel<T, Activation::kRelu, kUnsigned>;
    case Activation::kRelu6:
      return &backward_kernel<T, Activation::kRelu6, kUnsigned>;
    case Activation::kIdentity:
    case Activation::kHardSwish:
      break;
  }
  return &backward_kernel<T, Activation::kIdentity, kUnsigned>;
}

template <typename T>
auto forward_for(Activation activation) {
  switch (activation) {
    case Activation::kRelu:
      return &forward_kernel<T, Activation::kRelu>;
    case Activation::kRelu6:
      return &forward_kernel<T, Activation::kRelu6>;
    case Activation::kIdentity:
    case Activation::kHardSwish:
      break;
  }
  return &forward_kernel<T, Activation::kIdentity>;
}

// Calls work(value of the type).
template <typename Work>
void with_type(Stored type, const Work& work) {
  switch (type) {
    case Stored::kFloat32:
      return work(float());
    case Stored::kFloat16:
      return work(__half());
    case Stored::kBfloat16:
      return work(__nv_bfloat16());
  }
}

template <typename T>
bool moves_packs(const Shape& shape, std::initializer_list<const void*> pointers) {
  return shape.size % Pack<T>::kSize == 0 &&
         std::all_of(pointers.begin(), pointers.end(), is_aligned);
}

}  // namespace

void forward(Stored type, const void* x, void* out, const Shape& shape, Activation activation,
             cudaStream_t stream) {
  if (shape.rows * shape.size == 0) return;
  with_type(type, [&](auto of_type) {
    using T = decltype(of_type);
    forward_for<T>(activation)<<<grid_of(shape), kThreads, 0, stream>>>(
        static_cast<const T*>(x), static_cast<T*>(out), shape, moves_packs<T>(shape, {x, out}));
  });
}

int64_t partial_sums(const Shape& shape) { return shape.rows * blocks_per_row(shape) * kSums; }

void backward(Stored type, const void* x, const void* gradient, void* dx, float* range_gradient,
              double* sums, double* partial, const Shape& shape, Activation activation,
              cudaStream_t stream) {
  with_type(type, [&](auto of_type) {
    using T = decltype(of_type);
    const auto kernel =
        shape.n < 0 ? backward_for<T, false>(activation) : backward_for<T, true>(activation);
    kernel<<<grid_of(shape), kThreads, 0, stream>>>(
        static_cast<const T*>(x), static_cast<const T*>(gradient), static_cast<T*>(dx), partial,
        shape, moves_packs<T>(shape, {x, gradient, dx}));
  });
  finish_kernel<<<static_cast<unsigned>(shape.rows), kThreads, 0, stream>>>(
      partial, blocks_per_row(shape), shape.K, range_gradient, sums);
}

void end_fisher_step(double* state, const double* sums, const double* products, int64_t channels,
                     double samples, double loss_scale, double decay, cudaStream_t stream) {
  fisher_kernel<<<1, kThreads, 0, stream>>>(state, sums, products, channels, samples, loss_scale,
                                            decay);
}

}  // namespace qbitopt::kernels::cuda
