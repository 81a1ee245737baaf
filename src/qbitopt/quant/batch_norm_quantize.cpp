#include "qbitopt/quant/batch_norm_quantize.h"

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <vector>

#include "qbitopt/quant/fake_quantize.h"
#include "qbitopt/quant/kernel_tensors.h"
#include "qbitopt/quant/kernels/kernels.h"
#include "qbitopt/quant/site.h"

namespace qbitopt {
namespace {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

constexpr int64_t kRowMultiple = 16;  // of the kernels

struct JoinedSteps : torch::CustomClassHolder {
  JoinedSteps(BatchNormStep norm, QuantizeStep quantize)
      : norm(std::move(norm)), quantize(std::move(quantize)) {
    // Autograd keeps them, as inputs of the function.
    this->norm.weight.reset();
    this->norm.bias.reset();
    this->quantize.range.reset();
  }
  BatchNormStep norm;
  QuantizeStep quantize;
};

// x [batch, channels, height, width] channels-last as rows of lanes: a row holds every channel
// `copies` times, which makes whole registers of any number of channels. Short rows hold more where
// they can: a sum in memory, a lane each, is best not added to again at once.
struct ChannelRows {
  explicit ChannelRows(const Tensor& x)
      : channels(x.size(1)),
        copies(copies_of(channels, x.numel() / channels)),
        lanes(copies * channels),
        count(x.numel() / lanes),
        per_piece(std::max<int64_t>(1, 8192 / lanes)) {}

  int64_t channels, copies, lanes, count;
  int64_t per_piece;  // work is cut into the same pieces whatever the number of threads
  int64_t pieces() const { return (count + per_piece - 1) / per_piece; }
  int64_t per_channel() const { return count * copies; }

  static int64_t copies_of(int64_t channels, int64_t per_channel) {
    int64_t copies = kRowMultiple / std::gcd(kRowMultiple, channels);
    while (copies * channels < 4 * kRowMultiple && per_channel % (2 * copies) == 0) copies *= 2;
    return copies;
  }

  // Calls work(piece, offset of its first element, rows) on all threads.
  template <typename Work>
  void for_pieces(const Work& work) const {
    at::parallel_for(0, pieces(), 4, [&](int64_t begin, int64_t end) {
      for (int64_t piece = begin; piece < end; ++piece) {
        const int64_t row = piece * per_piece;
        work(piece, row * lanes, std::min(per_piece, count - row));
      }
    });
  }

  // One number a channel as one a lane.
  template <typename Number>
  std::vector<float> spread(const Number* values) const {
    std::vector<float> all(lanes);
    for (int64_t lane = 0; lane < lanes; ++lane)
      all[lane] = static_cast<float>(values[lane % channels]);
    return all;
  }

  // Sums of each channel over all pieces, from [pieces, lanes].
  std::vector<double> total(const std::vector<float>& sums) const {
    std::vector<double> totals(channels);
    for (int64_t piece = 0; piece < pieces(); ++piece) {
      for (int64_t lane = 0; lane < lanes; ++lane)
        totals[lane % channels] += sums[piece * lanes + lane];
    }
    return totals;
  }
};

kernels::Rounding rounding_of(const QuantizeStep& quantize, const Tensor& range,
                              kernels::Constants& constants) {
  if (!range.defined()) return {nullptr, quantize.activation};
  constants = constants_of(range.const_data_ptr<float>()[0], quantize.grid);
  return {&constants, quantize.activation};
}

struct Moments {
  std::vector<double> mean, variance;  // of each channel
};

Moments moments_of(const float* x, const ChannelRows& rows) {
  // Around a value of each channel, so that a mean far from zero costs no digits.
  const std::vector<float> center = rows.spread(x);
  std::vector<float> sums(rows.pieces() * rows.lanes), squares(sums.size());
  const auto moments = kernels::best_kernels().batch_norm.moments;
  rows.for_pieces([&](int64_t piece, int64_t offset, int64_t count) {
    moments(x + offset, count, rows.lanes, center.data(), sums.data() + piece * rows.lanes,
            squares.data() + piece * rows.lanes);
  });
  Moments result{rows.total(sums), rows.total(squares)};
  const auto n = static_cast<double>(rows.per_channel());
  for (int64_t channel = 0; channel < rows.channels; ++channel) {
    const double distance = result.mean[channel] / n;
    result.mean[channel] = center[channel] + distance;
    result.variance[channel] = std::max(0.0, result.variance[channel] / n - distance * distance);
  }
  return result;
}

void update_running(const BatchNormStep& norm, const Moments& moments, double n) {
  auto* mean = norm.running_mean.mutable_data_ptr<float>();
  auto* variance = norm.running_var.mutable_data_ptr<float>();
  for (size_t channel = 0; channel < moments.mean.size(); ++channel) {
    const double unbiased = moments.variance[channel] * n / (n - 1);
    mean[channel] = static_cast<float>((1 - norm.momentum) * mean[channel] +
                                       norm.momentum * moments.mean[channel]);
    variance[channel] =
        static_cast<float>((1 - norm.momentum) * variance[channel] + norm.momentum * unbiased);
  }
}

// What backward needs of each channel: float32 [4, channels].
enum Kept { kScale, kShift, kMean, kInverseDeviation };

struct BatchNormQuantizeFunction : torch::autograd::Function<BatchNormQuantizeFunction> {
  static Tensor forward(AutogradContext* context, const Tensor& x, const Tensor& weight,
                        const Tensor& bias, const std::optional<Tensor>& given_range,
                        const c10::intrusive_ptr<JoinedSteps>& settings) {
    const BatchNormStep& norm = settings->norm;
    const Tensor range = given_range.value_or(Tensor());
    const ChannelRows rows(x);
    const auto* data = x.const_data_ptr<float>();
    const Moments moments = moments_of(data, rows);
    update_running(norm, moments, static_cast<double>(rows.per_channel()));

    const Tensor kept = torch::empty({4, rows.channels}, torch::kFloat32);
    auto* values = kept.mutable_data_ptr<float>();
    for (int64_t channel = 0; channel < rows.channels; ++channel) {
      const double inverse = 1 / std::sqrt(moments.variance[channel] + norm.epsilon);
      const double scale = weight.const_data_ptr<float>()[channel] * inverse;
      const auto keep = [&](Kept what, double value) {
        values[what * rows.channels + channel] = static_cast<float>(value);
      };
      keep(kScale, scale);
      keep(kShift, bias.const_data_ptr<float>()[channel] - scale * moments.mean[channel]);
      keep(kMean, moments.mean[channel]);
      keep(kInverseDeviation, inverse);
    }
    context->save_for_backward({x, weight, bias, range, kept});
    context->saved_data["settings"] = c10::IValue::make_capsule(settings);

    const Tensor out = torch::empty_like(x);
    auto* to = out.mutable_data_ptr<float>();
    const std::vector<float> scale = rows.spread(values + kScale * rows.channels);
    const std::vector<float> shift = rows.spread(values + kShift * rows.channels);
    kernels::Constants constants;
    const kernels::Rounding rounding = rounding_of(settings->quantize, range, constants);
    const auto normalize = kernels::best_kernels().batch_norm.forward;
    rows.for_pieces([&](int64_t, int64_t offset, int64_t count) {
      normalize(data + offset, to + offset, count, rows.lanes, scale.data(), shift.data(),
                rounding);
    });
    return out;
  }

  static tensor_list backward(AutogradContext* context, const tensor_list& gradients) {
    const auto settings = c10::static_intrusive_pointer_cast<JoinedSteps>(
        context->saved_data["settings"].toCapsule());
    const auto saved = context->get_saved_variables();
    const Tensor &x = saved[0], &weight = saved[1], &bias = saved[2], &range = saved[3];
    // Kernels leave no graph behind, so a second derivative goes by the separate operations.
    if (torch::GradMode::is_enabled()) {
      const QuantizeStep& quantize = settings->quantize;
      const Tensor y = torch::batch_norm(x, weight, bias, {}, {}, /*training=*/true, 0,
                                         settings->norm.epsilon, /*cudnn_enabled=*/false);
      const Tensor z = range.defined() ? fake_quantize(y, range, quantize.grid, quantize.activation)
                                       : apply_activation(quantize.activation, y);
      tensor_list inputs, result(5);
      for (size_t i = 0; i < 4; ++i) {
        if (saved[i].defined() && saved[i].requires_grad()) inputs.push_back(saved[i]);
      }
      tensor_list found = torch::autograd::grad({z}, inputs, {gradients[0]}, true, true, true);
      for (size_t i = 4; i-- > 0;) {
        if (!saved[i].defined() || !saved[i].requires_grad()) continue;
        result[i] = found.back();
        found.pop_back();
      }
      return result;
    }
    const ChannelRows rows(x);
    const Tensor gradient = in_order_of(gradients[0], x);
    const auto* data = x.const_data_ptr<float>();
    const auto* gradient_data = gradient.const_data_ptr<float>();
    const auto* kept = saved[4].const_data_ptr<float>();
    const auto spread = [&](Kept what) { return rows.spread(kept + what * rows.channels); };
    const std::vector<float> scale = spread(kScale), shift = spread(kShift), mean = spread(kMean);
    kernels::Constants constants;
    const kernels::Rounding rounding = rounding_of(settings->quantize, range, constants);
    const kernels::BatchNormKernels& kernel = kernels::best_kernels().batch_norm;

    std::vector<float> sums(rows.pieces() * rows.lanes), products(sums.size());
    std::vector<kernels::GradientSums> of_grid(rows.pieces());
    rows.for_pieces([&](int64_t piece, int64_t offset, int64_t count) {
      of_grid[piece] = kernel.gradient_sums(data + offset, gradient_data + offset, count,
                                            rows.lanes, scale.data(), shift.data(), mean.data(),
                                            rounding, sums.data() + piece * rows.lanes,
                                            products.data() + piece * rows.lanes);
    });
    const std::vector<double> dy = rows.total(sums), dy_x = rows.total(products);

    // dx = scale (dy - mean(dy) - (x - mean) / deviation^2 * mean(dy (x - mean)))
    const Tensor dweight = torch::empty_like(weight), dbias = torch::empty_like(bias);
    std::vector<float> slope(rows.channels), offset_of(rows.channels);
    const auto n = static_cast<double>(rows.per_channel());
    for (int64_t channel = 0; channel < rows.channels; ++channel) {
      const double inverse = kept[kInverseDeviation * rows.channels + channel];
      const double along = -scale[channel] * inverse * inverse * dy_x[channel] / n;
      slope[channel] = static_cast<float>(along);
      offset_of[channel] =
          static_cast<float>(-scale[channel] * dy[channel] / n - along * mean[channel]);
      dweight.mutable_data_ptr<float>()[channel] = static_cast<float>(dy_x[channel] * inverse);
      dbias.mutable_data_ptr<float>()[channel] = static_cast<float>(dy[channel]);
    }
    const std::vector<float> slopes = rows.spread(slope.data());
    const std::vector<float> offsets = rows.spread(offset_of.data());
    const Tensor dx = torch::empty_like(x);
    auto* dx_data = dx.mutable_data_ptr<float>();
    rows.for_pieces([&](int64_t, int64_t offset, int64_t count) {
      kernel.backward(data + offset, gradient_data + offset, dx_data + offset, count, rows.lanes,
                      scale.data(), shift.data(), slopes.data(), offsets.data(), rounding);
    });
    return {dx, dweight, dbias, range_gradient(range, of_grid, settings->quantize), {}};
  }

  // Hands the squares to the Fisher estimate.
  static Tensor range_gradient(const Tensor& range,
                               const std::vector<kernels::GradientSums>& pieces,
                               const QuantizeStep& quantize) {
    if (!range.defined()) return {};
    kernels::GradientSums total;
    for (const kernels::GradientSums& piece : pieces) {
      total.range += piece.range;
      total.squares += piece.squares;
      total.skipped += piece.skipped;
    }
    const Tensor result =
        torch::full_like(range, static_cast<float>(total.range / quantize.grid.K));
    if (quantize.fisher) {
      quantize.fisher->add(
          torch::tensor({total.squares, static_cast<double>(total.skipped)}, torch::kFloat64),
          result);
    }
    return result;
  }
};

bool is_float_array(const Tensor& tensor, int64_t size) {
  return tensor.defined() && tensor.is_cpu() && tensor.scalar_type() == torch::kFloat32 &&
         tensor.is_contiguous() && tensor.numel() == size;
}

}  // namespace

bool has_joined_kernels(const Tensor& x, const BatchNormStep& norm, const QuantizeStep& quantize) {
  if (!x.is_cpu() || x.scalar_type() != torch::kFloat32 || x.dim() != 4 || x.numel() == 0 ||
      !x.is_contiguous(torch::MemoryFormat::ChannelsLast) ||
      quantize.activation == Activation::kHardSwish) {
    return false;
  }
  const int64_t channels = x.size(1);
  for (const Tensor* array : {&norm.weight, &norm.bias, &norm.running_mean, &norm.running_var}) {
    if (!is_float_array(*array, channels)) return false;
  }
  if (quantize.range.defined() && !is_float_array(quantize.range, 1)) return false;
  // One value a channel has no variance: LibTorch's batch norm says so.
  return x.numel() > channels && x.numel() % std::lcm(kRowMultiple, channels) == 0;
}

Tensor batch_norm_quantize(const Tensor& x, const BatchNormStep& norm,
                           const QuantizeStep& quantize) {
  return BatchNormQuantizeFunction::apply(
      x, norm.weight, norm.bias,
      quantize.range.defined() ? std::optional<Tensor>(quantize.range) : std::nullopt,
      c10::make_intrusive<JoinedSteps>(norm, quantize));
}

}  // namespace qbitopt
