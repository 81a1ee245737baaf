#include "qbitopt/quant/fisher_estimate.h"

#include <stdexcept>
#include <string>

#ifdef QBITOPT_CUDA
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include "qbitopt/quant/kernels/cuda.h"
#endif

namespace qbitopt {

using torch::Tensor;

FisherEstimate::FisherEstimate(int64_t channels)
    : state_(torch::zeros({channels + 3}, torch::kFloat64)) {}

void FisherEstimate::set_weights(FisherWeights weights, int passes) {
  if (weights == FisherWeights::kSplit && passes < 2)
    throw std::logic_error("a split Fisher estimate needs at least two backward passes a step");
  weights_ = weights;
  passes_ = passes;
}

void FisherEstimate::add(const Tensor& sums, const Tensor& masked_gradient) {
  pending_ = pending_.defined() ? pending_ + sums : sums;
  if (passes_ == 1) return;
  const Tensor gradient = masked_gradient.detach().to(torch::kFloat32);
  if (gradient_sum_.defined()) {
    const Tensor products = (gradient_sum_ * gradient)
                                .reshape({channels(), -1})
                                .sum(1, /*keepdim=*/false, torch::kFloat64);
    products_ = products_.defined() ? products_ + products : products;
  }
  // A copy: the tensor itself becomes the parameter's .grad, to which the next pass is added.
  if (++passes_seen_ < passes_)
    gradient_sum_ = gradient_sum_.defined() ? gradient_sum_ + gradient : gradient.clone();
}

// With S = sum of |g_k|^2 and Q = sum over pairs of <g_j, g_k>, so that |g|^2 = S + 2 Q:
//
//   kBatch   B (S + 2 Q)
//   kSplit   B (S - 2 Q / (P - 1)) + 2 P Q / (P - 1)
//
// The first term of kSplit is the trace of the covariance, B / (P - 1) * (P S - |g|^2), the second
// the mean of <d_j, d_k> over pairs, d = P g_k. Both are brought to the form of two halves,
// B (S' - 2 Q') + 4 Q', or without Q' to that of one pass, B S'.
void FisherEstimate::end_step(int64_t samples, double loss_scale) {
  if (!pending_.defined()) return;
  if (passes_ > 1 && passes_seen_ != passes_) {
    throw std::logic_error("a Fisher estimate over " + std::to_string(passes_) +
                           " backward passes a step got " + std::to_string(passes_seen_));
  }
  Tensor any_sums = pending_, any_products;
  if (passes_ > 1) {
    const double P = passes_;
    const bool is_split = weights_ == FisherWeights::kSplit;
    const double more = is_split ? (P - 2) / (P - 1) : 2;
    if (more != 0) {
      any_sums = any_sums.clone();
      any_sums.slice(0, 0, channels()).add_(products_, more);
    }
    if (is_split) any_products = products_ * (P / (2 * (P - 1)));
  }
  forget_step();
  const double B = static_cast<double>(samples);
#ifdef QBITOPT_CUDA
  if (state_.is_cuda()) {  // without waiting for the device
    const c10::cuda::CUDAGuard device(state_.device());
    kernels::cuda::end_fisher_step(
        state_.mutable_data_ptr<double>(), any_sums.const_data_ptr<double>(),
        any_products.defined() ? any_products.const_data_ptr<double>() : nullptr, channels(), B,
        loss_scale, decay_, c10::cuda::getCurrentCUDAStream());
    return;
  }
#endif
  const Tensor sums = any_sums.cpu();
  const Tensor products = any_products.defined() ? any_products.cpu() : any_products;
  const Tensor state = state_.cpu();  // the buffer itself on the CPU, a copy of it elsewhere
  double* average = state.mutable_data_ptr<double>();
  double& mass = average[channels()];
  double& steps = average[channels() + 1];
  double& skipped = average[channels() + 2];
  const double* squares = sums.const_data_ptr<double>();
  skipped += squares[channels()];
  if (squares[channels()] == 0) {
    for (int64_t c = 0; c < channels(); ++c) {
      double estimate = B * squares[c];
      if (products.defined()) {
        const double product = products.const_data_ptr<double>()[c];
        estimate = B * (squares[c] - 2 * product) + 4 * product;
      }
      average[c] = decay_ * average[c] + (1 - decay_) * estimate / (loss_scale * loss_scale);
    }
    mass = decay_ * mass + (1 - decay_);
    steps += 1;
  }
  if (!state.is_same(state_)) state_.copy_(state);
}

void FisherEstimate::reset() {
  state_.zero_();
  forget_step();
}

void FisherEstimate::forget_step() {
  pending_.reset();
  gradient_sum_.reset();
  products_.reset();
  passes_seen_ = 0;
}

int64_t FisherEstimate::steps() const { return state_[channels() + 1].item<int64_t>(); }

int64_t FisherEstimate::skipped() const { return state_[channels() + 2].item<int64_t>(); }

std::vector<double> FisherEstimate::trace() const {
  if (steps() == 0) throw std::logic_error("a Fisher trace was asked for before any step ended");
  const Tensor state = state_.cpu();
  const double* average = state.const_data_ptr<double>();
  std::vector<double> trace(average, average + channels());
  for (double& value : trace) value /= average[channels()];
  return trace;
}

}  // namespace qbitopt
