#include "qbitopt/sensitivity/loss_curvature.h"

#include <torch/autograd.h>

#include "qbitopt/core/error.h"
#include "qbitopt/quant/fake_quantize.h"
#include "qbitopt/sensitivity/candidate_errors.h"

namespace qbitopt {
namespace {

using torch::Tensor;

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

// A tensor of its own in the graph, so that a derivative with respect to it leaves out other
// readers of `x` (the shortcut of a residual block).
Tensor own_node(const Tensor& x) {
  return x.requires_grad() ? x.view_as(x) : x.detach().requires_grad_();
}

}  // namespace

LossCurvature::LossCurvature(std::string metric, SensitivityContext& context,
                             const UniformQuantizers& quantizers, Stage stage, const Tensor& images,
                             const Tensor& labels)
    : metric_(std::move(metric)),
      quantizers_(quantizers),
      tensors_(quantizers.size()),
      movable_(quantizers.size()) {
  const torch::AutoGradMode with_graph(true);
  Tensor loss;
  {
    Taps taps(quantizers);
    for (size_t q = 0; q < quantizers.size(); ++q) {
      taps.set(q, [this, q, stage](const Tensor& a) {
        const UniformQuantizer& quantizer = *quantizers_[q];
        movable_[q] = can_move(quantizer, a.detach());
        tensors_[q] = stage == Stage::kBeforeTraining
                          ? own_node(a)
                          : fake_quantize(a, quantizer.range(), quantizer.grid());
        return tensors_[q];
      });
    }
    loss = torch::cross_entropy_loss(context.forward(images), labels);
  }
  for (size_t q = 0; q < tensors_.size(); ++q) {
    if (!tensors_[q].defined()) fail(q, "no tensor passed through it");
  }
  try {
    gradients_ = torch::autograd::grad({loss}, tensors_, {}, /*retain_graph=*/true,
                                       /*create_graph=*/true, /*allow_unused=*/true);
  } catch (const c10::Error& error) {
    fail(0, first_line(error.what_without_backtrace()));
  }
  for (size_t q = 0; q < gradients_.size(); ++q) {
    if (!gradients_[q].defined()) fail(q, "the loss does not depend on it");
    if (!gradients_[q].requires_grad()) fail(q, "its gradient is a constant");
  }
}

Tensor LossCurvature::own_product(size_t q, const Tensor& vector) const {
  try {
    const Tensor product =
        torch::autograd::grad({gradients_[q]}, {tensors_[q]}, {vector * movable_[q]},
                              /*retain_graph=*/true, /*create_graph=*/false,
                              /*allow_unused=*/true)[0];
    if (!product.defined()) fail(q, "its gradient is a constant");
    return product * movable_[q];
  } catch (const c10::Error& error) {
    fail(q, first_line(error.what_without_backtrace()));
  }
}

void LossCurvature::fail(size_t q, const std::string& reason) const {
  throw InputError("sensitivity '" + metric_ +
                   "' needs second derivatives of the loss, which do not exist at quantizer '" +
                   quantizers_[q]->spec().name + "' on " +
                   (tensors_[q].defined() ? tensors_[q].device().str() : std::string("cpu")) +
                   ": " + reason +
                   "; choose a metric without them: fit, fisher_exact, loss_delta, output_kl, "
                   "quant_mse or sqnr");
}

void require_second_derivatives(const std::string& metric, SensitivityContext& context,
                                const UniformQuantizers& quantizers, Stage stage,
                                const LabeledBatches& batches) {
  constexpr int64_t kFewImages = 2;  // enough for batch norm
  const auto& [images, labels] = batches.front();
  const LossCurvature curvature(metric, context, quantizers, stage, images.slice(0, 0, kFewImages),
                                labels.slice(0, 0, kFewImages));
  for (size_t q = 0; q < quantizers.size(); ++q) {
    curvature.own_product(q, torch::ones_like(curvature.tensors()[q]));
  }
}

}  // namespace qbitopt
