#include "qbitopt/sensitivity/hessian_trace.h"

#include <ATen/CPUGeneratorImpl.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "qbitopt/core/random.h"
#include "qbitopt/sensitivity/candidate_errors.h"
#include "qbitopt/sensitivity/loss_curvature.h"

namespace qbitopt {
namespace {

using torch::Tensor;

constexpr int kFewestVectors = 4;

// Mean and its standard error of values that arrive one by one (Welford).
struct RunningMean {
  int64_t count = 0;
  double mean = 0;
  double squares = 0;

  void add(double value) {
    const double distance = value - mean;
    mean += distance / static_cast<double>(++count);
    squares += distance * (value - mean);
  }
  double standard_error() const {
    if (count < 2) return std::numeric_limits<double>::infinity();
    const auto n = static_cast<double>(count);
    return std::sqrt(squares / (n * (n - 1)));
  }
};

Tensor random_signs(const Tensor& like, at::Generator generator) {
  const Tensor bits = torch::empty_like(like, torch::kCPU).bernoulli_(0.5, std::move(generator));
  return bits.mul_(2).sub_(1).to(like.device());
}

}  // namespace

std::vector<TraceEstimate> HessianTrace::traces(SensitivityContext& context,
                                                const UniformQuantizers& quantizers, Stage stage) {
  Random random(context.seed, "sensitivity.hessian_trace", static_cast<uint64_t>(context.step));
  at::Generator generator = at::detail::createCPUGenerator(random.next());
  const LabelledBatches batches = first_samples(context, options_.samples);
  require_second_derivatives(name(), context, quantizers, stage, batches);
  int64_t images = 0;
  for (const auto& batch : batches) images += batch.first.size(0);

  std::vector<TraceEstimate> estimates(quantizers.size());
  drawn_ = left_out_ = 0;
  for (const auto& [batch, labels] : batches) {
    const LossCurvature curvature(name(), context, quantizers, stage, batch, labels);
    std::vector<RunningMean> means(quantizers.size());
    RunningMean total;
    const auto is_good_enough = [&] {
      return total.count >= kFewestVectors &&
             total.standard_error() <= options_.tolerance * std::abs(total.mean);
    };
    for (int drawn = 0; drawn < options_.vectors && !is_good_enough(); ++drawn, ++drawn_) {
      std::vector<Tensor> vectors;
      for (const Tensor& x : curvature.tensors()) vectors.push_back(random_signs(x, generator));
      const std::vector<Tensor> products = curvature.product(vectors);
      double sum = 0;
      for (size_t q = 0; q < quantizers.size(); ++q) {
        const double value = (vectors[q] * products[q]).sum(torch::kFloat64).item<double>();
        if (!std::isfinite(value)) {
          ++left_out_;
          continue;
        }
        means[q].add(value);
        sum += value;
      }
      total.add(sum);
    }
    const double share = static_cast<double>(batch.size(0)) / static_cast<double>(images);
    for (size_t q = 0; q < quantizers.size(); ++q) {
      if (means[q].count == 0) fail_non_finite(*quantizers[q], total.count);
      estimates[q].trace += share * means[q].mean;
      estimates[q].standard_error =
          std::hypot(estimates[q].standard_error, share * means[q].standard_error());
    }
  }
  return estimates;
}

CostTable HessianTrace::measure(SensitivityContext& context, const UniformQuantizers& quantizers,
                                Stage stage) {
  const auto estimates = traces(context, quantizers, stage);
  const auto errors =
      candidate_errors(context, quantizers, stage, first_samples(context, options_.samples));
  CostTable table;
  for (size_t q = 0; q < quantizers.size(); ++q) {
    std::vector<double>& row = table.costs.emplace_back();
    for (const double noise : errors[q].mean_squares) {
      row.push_back(std::max(estimates[q].trace, 0.0) * noise / 2);
    }
  }
  table.note = non_finite_note(left_out_, drawn_ * static_cast<int64_t>(quantizers.size()),
                               "Hessian products");
  return table;
}

}  // namespace qbitopt
