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

// Largest eigenvalue and residual of each block. [blocks], float64, on the CPU.
struct Ritz {
  Tensor value, residual;
  int iterations = 0;

  bool has_converged(double tolerance) const {
    return residual.mean().item<double>() <= tolerance * value.clamp_min(0).mean().item<double>();
  }
};

// Of the symmetric tridiagonal matrices with these diagonals, [blocks] each: `beta` beside the
// diagonal, its last entry the next one that the iteration would append. The residual of the Ritz
// vector V s is beta_k |s_k|.
Ritz largest_ritz(const std::vector<Tensor>& alpha, const std::vector<Tensor>& beta) {
  const auto k = static_cast<int64_t>(alpha.size());
  Tensor T = torch::zeros({alpha[0].size(0), k, k}, torch::kFloat64);
  for (int64_t i = 0; i < k; ++i) {
    T.select(1, i).select(1, i).copy_(alpha[static_cast<size_t>(i)]);
    if (i + 1 == k) break;
    T.select(1, i).select(1, i + 1).copy_(beta[static_cast<size_t>(i)]);
    T.select(1, i + 1).select(1, i).copy_(beta[static_cast<size_t>(i)]);
  }
  const auto [values, vectors] = torch::linalg_eigh(T, "L");
  const Tensor last = vectors.select(1, k - 1).select(1, k - 1);
  return {values.select(1, k - 1), beta.back() * last.abs(), static_cast<int>(k)};
}

// Lanczos's iteration on the blocks of H_qq at once, from `start`, shaped as x_q and 0 where
// rounding moves nothing. It does not reorthogonalize: rounding then repeats eigenvalues that have
// converged, and leaves them as they are. Not finite where a product is not.
Ritz largest_eigenvalues(const LossCurvature& curvature, size_t q, int64_t blocks,
                         const Tensor& start, const HessianEigenvalueOptions& options) {
  const auto inner = [&](const Tensor& a, const Tensor& b) {
    return (a * b).reshape({blocks, -1}).sum(1, /*keepdim=*/false, torch::kFloat64);
  };
  const auto scaled = [&](const Tensor& factors, const Tensor& v) {
    std::vector<int64_t> shape(static_cast<size_t>(v.dim()), 1);
    if (blocks > 1) shape[0] = blocks;
    return factors.to(v.options()).reshape(shape) * v;
  };
  const auto unit = [&](const Tensor& norm, const Tensor& v) {
    return scaled(torch::where(norm > 0, 1 / norm, torch::zeros_like(norm)), v);
  };
  std::vector<Tensor> alpha, beta;
  Tensor before, v = unit(inner(start, start).sqrt(), start), last_beta, largest;
  Ritz ritz;
  for (int i = 0; i < options.iterations; ++i) {
    // The loss is the mean over images: one image's is `blocks` times its share.
    Tensor w = curvature.own_product(q, v) * blocks;
    if (i > 0) w = w - scaled(last_beta, before);
    const Tensor along = inner(v, w);
    w = w - scaled(along, v);
    // The rest of a block whose vectors are used up is rounding error.
    Tensor rest = inner(w, w).sqrt();
    largest = i == 0 ? along.abs() : torch::maximum(largest, along.abs());
    rest = torch::where(rest > 1e-6 * largest, rest, torch::zeros_like(rest));
    alpha.push_back(along.to(torch::kCPU));
    beta.push_back(rest.to(torch::kCPU));
    if (!alpha.back().isfinite().all().item<bool>() || !beta.back().isfinite().all().item<bool>()) {
      return {alpha.back(), beta.back(), i + 1};
    }
    ritz = largest_ritz(alpha, beta);
    if (ritz.has_converged(options.tolerance) || beta.back().max().item<double>() == 0) break;
    before = v;
    v = unit(rest, w);
    last_beta = rest;
  }
  return ritz;
}

std::string accuracy_text(const UniformQuantizers& quantizers,
                          const std::vector<LargestEigenvalue>& largest) {
  double worst = 0;
  size_t at = 0;
  int most = 0;
  for (size_t q = 0; q < largest.size(); ++q) {
    most = std::max(most, largest[q].iterations);
    const double relative =
        largest[q].residual == 0 ? 0 : largest[q].residual / largest[q].eigenvalue;
    if (relative > worst) worst = relative, at = q;
  }
  if (largest.empty()) return "";
  return "Hessian eigenvalues: residual " + percent(worst) + " at most (" +
         quantizers[at]->spec().name + "), after at most " + std::to_string(most) + " iterations";
}

// Names the eigenvalues whose residual is above the tolerance; empty if there are none.
std::string not_converged_text(const UniformQuantizers& quantizers,
                               const std::vector<LargestEigenvalue>& largest,
                               const HessianEigenvalueOptions& options) {
  std::vector<std::string> names;
  for (size_t q = 0; q < largest.size(); ++q) {
    const auto& [eigenvalue, times_elements, residual, iterations] = largest[q];
    if (residual <= options.tolerance * eigenvalue) continue;
    names.push_back(quantizers[q]->spec().name + " (residual " +
                    (eigenvalue > 0 ? percent(residual / eigenvalue) : "above its eigenvalue") +
                    ")");
  }
  if (names.empty()) return "";
  return std::to_string(names.size()) + " of " + std::to_string(largest.size()) +
         " Hessian eigenvalues have not converged within hessian_eigenvalue.tolerance: " +
         first_few(names) + "; raise hessian_eigenvalue.iterations";
}

}  // namespace

std::vector<LargestEigenvalue> HessianEigenvalue::eigenvalues(SensitivityContext& context,
                                                              const UniformQuantizers& quantizers,
                                                              Stage stage) {
  Random random(context.seed, "sensitivity.hessian_eigenvalue",
                static_cast<uint64_t>(context.step));
  at::Generator generator = at::detail::createCPUGenerator(random.next());
  const LabeledBatches batches = first_samples(context, options_.samples);
  require_second_derivatives(name(), context, quantizers, stage, batches);
  double images = 0;
  for (const auto& batch : batches) images += static_cast<double>(batch.first.size(0));
  std::vector<LargestEigenvalue> means(quantizers.size());
  for (const auto& [batch, labels] : batches) {
    const LossCurvature curvature(name(), context, quantizers, stage, batch, labels);
    const double share = static_cast<double>(batch.size(0)) / images;
    for (size_t q = 0; q < quantizers.size(); ++q) {
      const Tensor& x = curvature.tensors()[q];
      const bool is_weight = quantizers[q]->spec().kind == TensorKind::kWeight;
      const int64_t blocks = is_weight ? 1 : batch.size(0);
      const Tensor start =
          torch::empty_like(x, torch::kCPU).normal_(0, 1, generator).to(x.device()) *
          curvature.movable(q);
      const Ritz ritz = largest_eigenvalues(curvature, q, blocks, start, options_);
      const double eigenvalue = ritz.value.clamp_min(0).mean().item<double>();
      if (!std::isfinite(eigenvalue)) fail_non_finite(*quantizers[q], ritz.iterations);
      means[q].eigenvalue += share * eigenvalue;
      means[q].times_elements += share * eigenvalue * static_cast<double>(x.numel() / blocks);
      means[q].residual += share * ritz.residual.mean().item<double>();
      means[q].iterations = std::max(means[q].iterations, ritz.iterations);
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
  table.accuracy = accuracy_text(quantizers, largest);
  table.note = not_converged_text(quantizers, largest, options_);
  return table;
}

}  // namespace qbitopt
