#include "qbitopt/quant/fisher_estimate.h"

#include <stdexcept>
#include <utility>

#ifdef QBITOPT_CUDA
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include "qbitopt/quant/kernels/cuda.h"
#endif

namespace qbitopt {

using torch::Tensor;

namespace {

// kSplit: the estimate is h/2 |d1 - d2|^2 + <d1, d2> with h = B / 2 and the halves' gradients
// d = 2 g; with |g1|^2 + |g2|^2 = sum(grad^2) this is B (sum(grad^2) - 2 <g1, g2>) + 4 <g1, g2>.
// Answers <g1, g2>, float64 [channels]; undefined without halves.
Tensor products_of_halves(const std::vector<Tensor>& masked, int64_t channels) {
  if (masked.empty()) return {};
  const Tensor products = masked[0].to(torch::kFloat32) * masked[1];
  return products.reshape({channels, -1}).sum(1, false, torch::kFloat64);
}

}  // namespace

FisherEstimate::FisherEstimate(int64_t channels)
    : state_(torch::zeros({channels + 3}, torch::kFloat64)) {}

void FisherEstimate::add(const Tensor& sums, const Tensor& masked_gradient) {
  pending_ = pending_.defined() ? pending_ + sums : sums;
  // A copy: the tensor itself becomes the parameter's .grad, to which the second half is added.
  if (weights_ == FisherWeights::kSplit) masked_.push_back(masked_gradient.detach().clone());
}

void FisherEstimate::end_step(int64_t samples, double loss_scale) {
  if (!pending_.defined()) return;
  const Tensor any_sums = std::exchange(pending_, Tensor());
  const std::vector<Tensor> masked = std::exchange(masked_, {});
  if (weights_ == FisherWeights::kSplit && masked.size() != 2) {
    throw std::logic_error("a split Fisher estimate needs two backward passes a step, not " +
                           std::to_string(masked.size()));
  }
  const Tensor any_products = products_of_halves(masked, channels());
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
  pending_.reset();
  masked_.clear();
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
