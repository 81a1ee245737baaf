#include "qbitopt/models/image_convolution.h"

#include <ATen/Parallel.h>
#include <ATen/autocast_mode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <optional>

namespace qbitopt {
namespace {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::tensor_list;

constexpr int64_t kMostChannels = 4;
constexpr int64_t kColumns = 1 << 18;  // numbers at a time, which stay in the cache

struct Geometry : torch::CustomClassHolder {
  explicit Geometry(ConvolutionGeometry sizes) : sizes(std::move(sizes)) {}
  ConvolutionGeometry sizes;
};

// dL/d images of dy [batch, out, height, width].
Tensor image_gradient(const Tensor& dy, const Tensor& weight, at::IntArrayRef shape,
                      const ConvolutionGeometry& sizes) {
  const int64_t batch = dy.size(0), out = dy.size(1), positions = dy.size(2) * dy.size(3);
  const Tensor taps = weight.contiguous().view({out, -1}).t();  // [channels * taps, out]
  const Tensor rows = dy.contiguous(at::MemoryFormat::ChannelsLast)
                          .permute({0, 2, 3, 1})
                          .view({batch, positions, out});
  const Tensor gradient = torch::empty(shape, dy.options());
  const int64_t some = std::max<int64_t>(1, kColumns / (taps.size(0) * positions));
  at::parallel_for(0, (batch + some - 1) / some, 1, [&](int64_t begin, int64_t end) {
    const torch::NoGradGuard no_grad;  // other threads start without
    for (int64_t i = begin; i < end; ++i) {
      const int64_t first = i * some, count = std::min(some, batch - first);
      const Tensor columns = at::matmul(taps, rows.narrow(0, first, count).transpose(1, 2));
      gradient.narrow(0, first, count)
          .copy_(at::col2im(columns, shape.slice(2), weight.sizes().slice(2), sizes.dilation,
                            sizes.padding, sizes.stride));
    }
  });
  return gradient;
}

struct ImageConvolution : torch::autograd::Function<ImageConvolution> {
  static Tensor forward(AutogradContext* context, const Tensor& images, const Tensor& weight,
                        const std::optional<Tensor>& bias,
                        const c10::intrusive_ptr<Geometry>& geometry) {
    context->save_for_backward({images, weight});
    context->saved_data["geometry"] = c10::IValue::make_capsule(geometry);
    context->saved_data["bias"] = bias.has_value();
    const ConvolutionGeometry& sizes = geometry->sizes;
    return at::conv2d(images, weight, bias, sizes.stride, sizes.padding, sizes.dilation);
  }

  static tensor_list backward(AutogradContext* context, const tensor_list& gradients) {
    const auto saved = context->get_saved_variables();
    const Tensor &images = saved[0], &weight = saved[1];
    const ConvolutionGeometry sizes =
        c10::static_intrusive_pointer_cast<Geometry>(context->saved_data["geometry"].toCapsule())
            ->sizes;
    const bool has_bias = context->saved_data["bias"].toBool();
    const auto by_libtorch = [&](bool of_images) {
      return at::convolution_backward(
          gradients[0], images, weight,
          has_bias ? at::OptionalIntArrayRef(weight.size(0)) : std::nullopt, sizes.stride,
          sizes.padding, sizes.dilation, /*transposed=*/false, {0, 0}, /*groups=*/1,
          {of_images, true, has_bias});
    };
    const bool is_again = torch::GradMode::is_enabled();
    auto [of_images, of_weight, of_bias] = by_libtorch(is_again);
    if (!is_again) of_images = image_gradient(gradients[0], weight, images.sizes(), sizes);
    return {of_images, of_weight, of_bias, {}};
  }
};

}  // namespace

bool is_image_convolution(const Tensor& images, const Tensor& weight) {
  return images.is_cpu() && images.scalar_type() == torch::kFloat32 && images.dim() == 4 &&
         images.numel() > 0 && images.requires_grad() && weight.dim() == 4 &&
         weight.scalar_type() == torch::kFloat32 && images.size(1) <= kMostChannels &&
         images.size(1) == weight.size(1) && torch::GradMode::is_enabled() &&
         !at::autocast::is_autocast_enabled(at::kCPU);
}

Tensor convolve_image(const Tensor& images, const Tensor& weight, const Tensor& bias,
                      const ConvolutionGeometry& geometry) {
  return ImageConvolution::apply(images, weight,
                                 bias.defined() ? std::optional<Tensor>(bias) : std::nullopt,
                                 c10::make_intrusive<Geometry>(geometry));
}

}  // namespace qbitopt
