#include "qbitopt/exporting/integer_grid.h"

#include <fmt/format.h>

#include <stdexcept>

#include "qbitopt/core/error.h"
#include "qbitopt/quant/fake_quantize.h"
#include "qbitopt/quant/uniform_quantizer.h"

namespace qbitopt {
namespace {

constexpr int kMostBits = 8;

}  // namespace

IntegerGrid integer_grid(const QuantizerSite& site) {
  const std::string& name = site.spec().name;
  const auto uniform = std::dynamic_pointer_cast<UniformQuantizer>(site.quantizer());
  if (!uniform)
    throw InputError(
        fmt::format("quantizer '{}' is not uniform; only uniform ones are exported", name));
  const Grid grid = uniform->grid();
  if (grid.bits > kMostBits) {
    throw InputError(
        fmt::format("quantizer '{}' has {} bits; expected at most {}: a code is stored "
                    "in a byte",
                    name, grid.bits, kMostBits));
  }
  const torch::NoGradGuard no_grad;
  const torch::Tensor range = uniform->range().detach().to(torch::kCPU, torch::kFloat32);
  IntegerGrid integers{grid.bits, static_cast<int64_t>(grid.n), static_cast<int64_t>(grid.p),
                       range.clamp_min(kRangeFloor) / static_cast<float>(grid.K)};
  if (site.spec().has_offset) integers.offset = uniform->offset().item<float>();
  return integers;
}

torch::Tensor codes_of(const QuantizerSite& site, const torch::Tensor& weight) {
  const torch::NoGradGuard no_grad;
  const IntegerGrid grid = integer_grid(site);
  const torch::Tensor quantized = site(weight.detach()).contiguous();
  std::vector<int64_t> shape(static_cast<size_t>(std::max<int64_t>(weight.dim(), 1)), 1);
  shape[0] = grid.scale.numel();
  const torch::Tensor codes =
      (quantized / grid.scale.view(shape))
          .round_()
          .clamp_(static_cast<double>(grid.lowest), static_cast<double>(grid.highest))
          .to(grid.type());
  if (!values_of(codes, grid.scale).equal(quantized)) {
    throw std::logic_error(
        fmt::format("codes and scale of '{}' do not give its quantized values", site.spec().name));
  }
  return codes;
}

torch::Tensor codes_in(const IntegerGrid& grid, const torch::Tensor& values) {
  const torch::Tensor above = values.to(torch::kFloat64) - grid.offset.value_or(0.0f);
  return (above / grid.scale.to(torch::kFloat64)).round_().to(grid.type()).contiguous();
}

torch::Tensor values_of(const torch::Tensor& codes, const torch::Tensor& scale, int64_t axis) {
  std::vector<int64_t> shape(static_cast<size_t>(std::max<int64_t>(codes.dim(), 1)), 1);
  shape.at(static_cast<size_t>(axis)) = scale.numel();
  return codes.to(torch::kFloat32) * scale.view(shape);
}

}  // namespace qbitopt
