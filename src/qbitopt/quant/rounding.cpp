#include "qbitopt/quant/rounding.h"

#include <torch/csrc/autograd/custom_function.h>

#include "qbitopt/quant/fake_quantize.h"

namespace qbitopt {
namespace {

struct RoundFunction : torch::autograd::Function<RoundFunction> {
  static torch::Tensor forward(torch::autograd::AutogradContext*, const torch::Tensor& x) {
    return x.round();
  }
  static torch::autograd::tensor_list backward(torch::autograd::AutogradContext*,
                                               const torch::autograd::tensor_list& gradients) {
    return {gradients[0]};
  }
};

struct CeilFunction : torch::autograd::Function<CeilFunction> {
  static torch::Tensor forward(torch::autograd::AutogradContext*, const torch::Tensor& x) {
    return x.ceil();
  }
  static torch::autograd::tensor_list backward(torch::autograd::AutogradContext*,
                                               const torch::autograd::tensor_list& gradients) {
    return {gradients[0]};
  }
};

}  // namespace

torch::Tensor round_straight_through(const torch::Tensor& x) { return RoundFunction::apply(x); }

torch::Tensor ceil_straight_through(const torch::Tensor& x) { return CeilFunction::apply(x); }

torch::Tensor quantize_midrise(const torch::Tensor& x, const torch::Tensor& limit, int bits) {
  return fake_quantize(x + limit, 2 * limit, Grid::make(bits, /*is_signed=*/false)) - limit;
}

}  // namespace qbitopt
