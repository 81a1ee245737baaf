#include "qbitopt/quant/fake_quantize.h"

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <stdexcept>
#include <vector>

#include "qbitopt/quant/kernel_tensors.h"
#include "qbitopt/quant/kernels/kernels.h"
#include "qbitopt/quant/site.h"
#ifdef QBITOPT_CUDA
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include "qbitopt/quant/kernels/cuda.h"
#endif

namespace qbitopt {
namespace {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

// What backward needs beside x and the range.
struct Settings : torch::CustomClassHolder {
  Settings(const Grid& grid, Activation activation, std::shared_ptr<FisherEstimate> fisher)
      : grid(grid), activation(activation), fisher(std::move(fisher)) {}
  Grid grid;
  Activation activation;
  std::shared_ptr<FisherEstimate> fisher;
};

// Sums over everything but the range's channels.
Tensor sum_channels(const Tensor& values, const Tensor& range) {
  if (range.numel() == 1) return values.sum(torch::kFloat64).view({1});
  return values.flatten(1).sum(1, /*keepdim=*/false, torch::kFloat64);
}

// --- By tensor operations: every device and type -------------------------------------------------

Tensor forward_by_tensors(const Tensor& x, const Tensor& range, const Settings& settings) {
  const Grid& grid = settings.grid;
  const Tensor r = broadcast_range(range, x);
  const Tensor v = apply_activation(settings.activation, x) * (grid.K / r);
  return v.clamp(grid.n, grid.p).round_() * (r / grid.K);
}

struct Gradients {
  Tensor x;
  Tensor range;
};

Gradients backward_by_tensors(const Tensor& x, const Tensor& range, const Tensor& gradient,
                              const Settings& settings) {
  const Grid& grid = settings.grid;
  Tensor inside, open, counted, toward_range;
  {
    torch::NoGradGuard constants;  // to a second derivative these are constants: straight-through
    const Tensor v =
        apply_activation(settings.activation, x) * (grid.K / broadcast_range(range, x));
    const Tensor code = v.clamp(grid.n, grid.p).round_();
    inside = (v >= grid.n).logical_and_(v <= grid.p);
    toward_range = code - torch::where(inside, v, torch::zeros_like(v));
    counted = grid.is_signed() ? inside : inside.logical_and(v > 0);
    open = inside;
    if (settings.activation != Activation::kIdentity) open = open.logical_and(x > 0);
    if (settings.activation == Activation::kRelu6) open = open.logical_and(x < 6);
  }
  const Tensor zero = torch::zeros_like(gradient);
  Gradients result;
  result.x = torch::where(open, gradient, zero);
  result.range = (sum_channels(gradient * toward_range, range) / grid.K).to(range.scalar_type());

  if (settings.fisher && !torch::GradMode::is_enabled()) {
    const Tensor masked = torch::where(counted, gradient, zero);
    const Tensor squares = masked.square();
    const Tensor finite = squares.isfinite();
    const Tensor sums = sum_channels(torch::where(finite, squares, zero), range);
    const Tensor skipped = finite.logical_not().sum().to(torch::kFloat64).view({1});
    settings.fisher->add(torch::cat({sums, skipped}), result.x);
  }
  return result;
}

// --- By kernels: float32, on a GPU 16 bits too ---------------------------------------------------

// The data as rows of memory with one width each.
struct Rows {
  int64_t count = 1;
  int64_t size = 0;
  // Work is cut into the same pieces whatever the number of threads, so that sums are too.
  static constexpr int64_t kPiece = 8192;
  int64_t pieces_per_row() const { return (size + kPiece - 1) / kPiece; }
  int64_t pieces() const { return count * pieces_per_row(); }
  // Pieces that are worth a thread.
  int64_t grain() const {
    return std::max<int64_t>(1, 32768 / std::max<int64_t>(1, std::min(size, kPiece)));
  }

  // Calls work(piece, row, offset, length) on all threads.
  template <typename Work>
  void for_pieces(const Work& work) const {
    at::parallel_for(0, pieces(), grain(), [&](int64_t begin, int64_t end) {
      for (int64_t piece = begin; piece < end; ++piece) {
        const int64_t row = piece / pieces_per_row();
        const int64_t from = piece % pieces_per_row() * kPiece;
        work(piece, row, row * size + from, std::min(kPiece, size - from));
      }
    });
  }
};

bool kernels_apply(const Tensor& x, const Tensor& range) {
#ifdef QBITOPT_CUDA
  const bool has_kernels = x.is_cpu() || x.is_cuda();
#else
  const bool has_kernels = x.is_cpu();
#endif
  return has_kernels && (x.scalar_type() == torch::kFloat32 || quantizes_sixteen_bits(x)) &&
         range.scalar_type() == torch::kFloat32 && x.layout() == torch::kStrided;
}

Rows rows_of(const Tensor& x, const Tensor& range) {
  const int64_t count = range.numel();
  return {count, x.numel() / count};
}

// x in a memory order that the kernels take: dense, and with one range a channel each channel in
// one stretch. Channels-last weights are both.
Tensor dense(const Tensor& x, const Tensor& range) {
  const bool one_stretch_each = range.numel() == 1 || x.stride(0) * x.size(0) == x.numel();
  return x.is_non_overlapping_and_dense() && one_stretch_each ? x : x.contiguous();
}

std::vector<kernels::Constants> constants_of_each(const Tensor& range, const Grid& grid) {
  const Tensor contiguous = range.contiguous();
  const float* r = contiguous.const_data_ptr<float>();
  std::vector<kernels::Constants> constants;
  for (int64_t channel = 0; channel < range.numel(); ++channel)
    constants.push_back(constants_of(r[channel], grid));
  return constants;
}

#ifdef QBITOPT_CUDA

kernels::cuda::Shape shape_of(const Rows& rows, const Tensor& range, const Grid& grid) {
  return {rows.count,
          rows.size,
          range.const_data_ptr<float>(),
          static_cast<float>(kRangeFloor),
          static_cast<float>(grid.K),
          static_cast<float>(grid.n),
          static_cast<float>(grid.p)};
}

kernels::cuda::Stored stored(const Tensor& x) {
  using kernels::cuda::Stored;
  return x.scalar_type() == torch::kFloat16    ? Stored::kFloat16
         : x.scalar_type() == torch::kBFloat16 ? Stored::kBfloat16
                                               : Stored::kFloat32;
}

Tensor forward_on_gpu(const Tensor& x, const Tensor& any_range, const Settings& settings) {
  const c10::cuda::CUDAGuard device(x.device());
  const Tensor range = any_range.contiguous();
  const Tensor out = torch::empty_like(x);
  kernels::cuda::forward(stored(x), x.const_data_ptr(), out.mutable_data_ptr(),
                         shape_of(rows_of(x, range), range, settings.grid), settings.activation,
                         c10::cuda::getCurrentCUDAStream());
  return out;
}

Gradients backward_on_gpu(const Tensor& x, const Tensor& any_range, const Tensor& any_gradient,
                          const Settings& settings) {
  const c10::cuda::CUDAGuard device(x.device());
  const Tensor range = any_range.contiguous();
  const auto shape = shape_of(rows_of(x, range), range, settings.grid);
  const Tensor gradient = in_order_of(any_gradient.to(x.scalar_type()), x);
  const auto doubles = torch::dtype(torch::kFloat64).device(x.device());
  const Tensor sums = torch::zeros({shape.rows + 1}, doubles);
  const Tensor partial = torch::empty({kernels::cuda::partial_sums(shape)}, doubles);
  Gradients result{torch::empty_like(x), torch::empty_like(range)};
  kernels::cuda::backward(stored(x), x.const_data_ptr(), gradient.const_data_ptr(),
                          result.x.mutable_data_ptr(), result.range.mutable_data_ptr<float>(),
                          sums.mutable_data_ptr<double>(), partial.mutable_data_ptr<double>(),
                          shape, settings.activation, c10::cuda::getCurrentCUDAStream());
  if (settings.fisher) settings.fisher->add(sums, result.x);
  return result;
}

#endif

Tensor forward_by_kernels(const Tensor& x, const Tensor& range, const Settings& settings) {
#ifdef QBITOPT_CUDA
  if (x.is_cuda()) return forward_on_gpu(x, range, settings);
#endif
  const auto constants = constants_of_each(range, settings.grid);
  const Rows rows = rows_of(x, range);
  const Tensor out = torch::empty_like(x);
  const float* from = x.const_data_ptr<float>();
  float* to = out.mutable_data_ptr<float>();
  const auto forward = kernels::best_kernels().forward;
  rows.for_pieces([&](int64_t, int64_t row, int64_t offset, int64_t length) {
    forward(from + offset, to + offset, length, constants[row], settings.activation);
  });
  return out;
}

Gradients backward_by_kernels(const Tensor& x, const Tensor& range, const Tensor& any_gradient,
                              const Settings& settings) {
#ifdef QBITOPT_CUDA
  if (x.is_cuda()) return backward_on_gpu(x, range, any_gradient, settings);
#endif
  const auto constants = constants_of_each(range, settings.grid);
  const Rows rows = rows_of(x, range);
  const Tensor gradient = in_order_of(any_gradient, x);
  Gradients result{torch::empty_like(x), torch::empty_like(range, at::MemoryFormat::Contiguous)};
  const float* x_data = x.const_data_ptr<float>();
  const float* gradient_data = gradient.const_data_ptr<float>();
  float* dx_data = result.x.mutable_data_ptr<float>();
  std::vector<kernels::GradientSums> pieces(rows.pieces());
  const auto backward = kernels::best_kernels().backward;
  rows.for_pieces([&](int64_t piece, int64_t row, int64_t offset, int64_t length) {
    pieces[piece] = backward(x_data + offset, gradient_data + offset, dx_data + offset, length,
                             constants[row], settings.activation);
  });

  const Tensor sums = torch::zeros({rows.count + 1}, torch::kFloat64);
  double* squares = sums.mutable_data_ptr<double>();
  float* range_gradient = result.range.mutable_data_ptr<float>();
  for (int64_t row = 0; row < rows.count; ++row) {
    double toward_range = 0;
    for (int64_t piece = row * rows.pieces_per_row(); piece < (row + 1) * rows.pieces_per_row();
         ++piece) {
      toward_range += pieces[piece].range;
      squares[row] += pieces[piece].squares;
      squares[rows.count] += static_cast<double>(pieces[piece].skipped);
    }
    range_gradient[row] = static_cast<float>(toward_range / settings.grid.K);
  }
  if (settings.fisher) settings.fisher->add(sums, result.x);
  return result;
}

struct FakeQuantizeFunction : torch::autograd::Function<FakeQuantizeFunction> {
  static Tensor forward(AutogradContext* context, const Tensor& any_x, const Tensor& range,
                        const c10::intrusive_ptr<Settings>& settings) {
    const bool by_kernels = kernels_apply(any_x, range);
    const Tensor x = by_kernels ? dense(any_x, range) : any_x;
    context->save_for_backward({x, range});
    context->saved_data["settings"] = c10::IValue::make_capsule(settings);
    return by_kernels ? forward_by_kernels(x, range, *settings)
                      : forward_by_tensors(x, range, *settings);
  }

  static tensor_list backward(AutogradContext* context, const tensor_list& gradients) {
    const auto saved = context->get_saved_variables();
    const auto settings =
        c10::static_intrusive_pointer_cast<Settings>(context->saved_data["settings"].toCapsule());
    const Tensor &x = saved[0], &range = saved[1];
    // Kernels leave no graph behind, so a second derivative goes by tensor operations.
    const bool by_kernels = kernels_apply(x, range) && !torch::GradMode::is_enabled();
    const Gradients result = by_kernels ? backward_by_kernels(x, range, gradients[0], *settings)
                                        : backward_by_tensors(x, range, gradients[0], *settings);
    return {result.x, result.range.view_as(range), {}};
  }
};

}  // namespace

Tensor in_order_of(const Tensor& value, const Tensor& like) {
  for (int64_t d = 0; d < like.dim(); ++d) {
    if (like.size(d) != 1 && value.stride(d) != like.stride(d)) {
      return torch::empty_like(like).copy_(value);
    }
  }
  return value;
}

kernels::Constants constants_of(float range, const Grid& grid) {
  const float positive = std::max(range, static_cast<float>(kRangeFloor));
  const float K = static_cast<float>(grid.K);
  return {positive / K, K / positive, static_cast<float>(grid.n), static_cast<float>(grid.p)};
}

bool quantizes_sixteen_bits(const Tensor& x) {
#ifdef QBITOPT_CUDA
  return x.is_cuda() && c10::isReducedFloatingType(x.scalar_type());
#else
  return false;
#endif
}

Tensor broadcast_range(const Tensor& range, const Tensor& x) {
  const Tensor positive = range.clamp_min(kRangeFloor);
  if (range.numel() == 1) return positive;
  std::vector<int64_t> shape(x.dim(), 1);
  shape[0] = range.numel();
  return positive.view(shape);
}

Tensor fake_quantize(const Tensor& x, const Tensor& range, const Grid& grid, Activation activation,
                     std::shared_ptr<FisherEstimate> fisher) {
  if (range.numel() != 1 && (x.dim() == 0 || range.numel() != x.size(0))) {
    throw std::invalid_argument("fake_quantize: range has " + std::to_string(range.numel()) +
                                " elements; expected 1, or one for each of dimension 0 of x");
  }
  if (activation == Activation::kHardSwish) {
    return fake_quantize(apply_activation(activation, x), range, grid, Activation::kIdentity,
                         std::move(fisher));
  }
  return FakeQuantizeFunction::apply(
      x, range, c10::make_intrusive<Settings>(grid, activation, std::move(fisher)));
}

}  // namespace qbitopt
