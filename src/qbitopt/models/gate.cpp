#include "qbitopt/models/gate.h"

namespace qbitopt {

Gate::Gate(const std::string& path)
    : torch::nn::Module(path),
      site_(*this, {.name = path + ".input", .kind = TensorKind::kActivation, .is_signed = false}) {
}

torch::Tensor Gate::forward(const torch::Tensor& x, const torch::Tensor& scores) {
  // As torch::hardsigmoid, which has no second derivative.
  const torch::Tensor factors = site_(torch::hardtanh(scores + 3, 0, 6) / 6);
  elements_ = factors.numel() / factors.size(0);
  products_ = x.numel() / x.size(0);
  return x * factors;
}

}  // namespace qbitopt
