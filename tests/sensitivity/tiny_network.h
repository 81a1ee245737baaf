#pragma once

#include <memory>
#include <vector>

#include "qbitopt/quant/torch.h"
#include "qbitopt/quant/uniform_quantizer.h"
#include "qbitopt/sensitivity/sensitivity.h"

namespace qbitopt {

// Two linear layers with every tensor quantized, small enough to be taken apart by hand:
//   logits = Q(W2) Q(relu(Q(W1) Q(x)))
struct TinyNetwork {
  explicit TinyNetwork(int bits = 4, UniformQuantizerOptions options = {}) {
    torch::manual_seed(11);
    const auto make = [&](QuantizerSpec spec, double range) {
      auto quantizer = std::make_shared<UniformQuantizer>(std::move(spec), options);
      quantizer->set_bits(bits);
      torch::NoGradGuard no_grad;
      quantizer->range().fill_(range);
      quantizers.push_back(quantizer);
      return quantizer;
    };
    input = make({.name = "fc1.input", .kind = TensorKind::kActivation}, 6);
    weight1 = make({.name = "fc1.weight", .elements = 18, .channels = 6}, 2);
    hidden = make({.name = "fc2.input",
                   .kind = TensorKind::kActivation,
                   .is_signed = false,
                   .absorbs = Activation::kRelu},
                  3);
    weight2 = make({.name = "fc2.weight", .elements = 24, .channels = 4}, 2);
    W1 = (0.6 * torch::randn({6, 3})).requires_grad_();
    W2 = (0.6 * torch::randn({4, 6})).requires_grad_();
    images = torch::randn({32, 3});
    labels = torch::randint(4, {32});
  }

  torch::Tensor forward(const torch::Tensor& x) const {
    const torch::Tensor h = torch::linear(input->forward(x), weight1->forward(W1));
    return torch::linear(hidden->forward(h), weight2->forward(W2));
  }

  // The network on tensors that are already quantized, or not at all: nothing is rounded here.
  torch::Tensor plain(const torch::Tensor& x, const torch::Tensor& w1,
                      const torch::Tensor& w2) const {
    return torch::linear(torch::relu(torch::linear(x, w1)), w2);
  }

  // batch_size divides the 32 images.
  SensitivityContext context(int64_t batch_size = 32) const {
    return {.quantizers = quantizers,
            .forward = [this](const torch::Tensor& x) { return forward(x); },
            .batches =
                [this, batch_size] {
                  std::vector<std::pair<torch::Tensor, torch::Tensor>> batches;
                  for (int64_t i = 0; i < images.size(0); i += batch_size) {
                    batches.emplace_back(images.slice(0, i, i + batch_size),
                                         labels.slice(0, i, i + batch_size));
                  }
                  return batches;
                },
            .seed = 7};
  }

  std::vector<std::shared_ptr<UniformQuantizer>> uniform() const {
    return {input, weight1, hidden, weight2};
  }

  std::vector<QuantizerPtr> quantizers;
  std::shared_ptr<UniformQuantizer> input, weight1, hidden, weight2;
  torch::Tensor W1, W2, images, labels;
};

}  // namespace qbitopt
