#include "qbitopt/sensitivity/hessian_eigenvalue.h"

#include <ATen/CPUGeneratorImpl.h>

#include <algorithm>
#include <cmath>

#include "qbitopt/core/random.h"
#include "qbitopt/sensitivity/candidate_errors.h"
#include "qbitopt/sensitivity/loss_curvature.h"

namespace qbitopt {
namespace {

using torch::Tensor;

double inner_product(const Tensor& a, const Tensor& b) {
  return (a * b).sum(torch::kFloat64).item<double>();
}

// The eigenvalue of H + shift that is largest in size; not finite if a product is not.
double largest_in_size(const LossCurvature& curvature, size_t q, double shift, Tensor v,
                       const HessianEigenvalueOptions& options) {
  double eigenvalue = 0;
  for (int i = 0; i < options.iterations; ++i) {
    v = v / std::sqrt(inner_product(v, v));
    const Tensor product = curvature.own_product(q, v) + shift * v;
    const double before = eigenvalue;
    eigenvalue = inner_product(v, product);  // Rayleigh quotient
    if (!std::isfinite(eigenvalue) || inner_product(product, product) == 0) break;
    if (i > 0 && std::abs(eigenvalue - before) <= options.tolerance * std::abs(eigenvalue)) break;
    v = product;
  }
  return eigenvalue;
}

}  // namespace

std::vector<LargestEigenvalue> HessianEigenvalue::eigenvalues(SensitivityContext& context,
                                                              const UniformQuantizers& quantizers,
                                                              Stage stage) {
  Random random(context.seed, "sensitivity.hessian_eigenvalue",
                static_cast<uint64_t>(context.step));
  at::Generator generator = at::detail::createCPUGenerator(random.next());
  const LabelledBatches batches = first_samples(context, options_.samples);
  require_second_derivatives(name(), context, quantizers, stage, batches);
  std::vector<LargestEigenvalue> means(quantizers.size());
  for (const auto& [images, labels] : batches) {
    const LossCurvature curvature(name(), context, quantizers, stage, images, labels);
    for (size_t q = 0; q < quantizers.size(); ++q) {
      const Tensor& x = curvature.tensors()[q];
      const Tensor start =
          torch::empty_like(x, torch::kCPU).normal_(0, 1, generator).to(x.device());
      double eigenvalue = largest_in_size(curvature, q, 0, start, options_);
      if (eigenvalue < 0) {
        const double shift = -eigenvalue;
        eigenvalue = largest_in_size(curvature, q, shift, start, options_) - shift;
      }
      if (!std::isfinite(eigenvalue)) fail_non_finite(*quantizers[q], options_.iterations);
      const double share = std::max(eigenvalue, 0.0) / static_cast<double>(batches.size());
      means[q].eigenvalue += share;
      means[q].times_elements += share * static_cast<double>(x.numel());
    }
  }
  return means;
}

CostTable HessianEigenvalue::measure(SensitivityContext& context,
                                     const UniformQuantizers& quantizers, Stage stage) {
  const auto largest = eigenvalues(context, quantizers, stage);
  const auto errors =
      candidate_errors(context, quantizers, stage, first_samples(context, options_.samples));
  CostTable table;
  for (size_t q = 0; q < quantizers.size(); ++q) {
    std::vector<double>& row = table.costs.emplace_back();
    for (const double noise : errors[q].mean_squares) {
      row.push_back(largest[q].times_elements * noise / 2);
    }
  }
  return table;
}

}  // namespace qbitopt
