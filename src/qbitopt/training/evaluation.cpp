#include "qbitopt/training/evaluation.h"

namespace qbitopt {

Evaluation evaluate(Network& network, BatchStream& images, torch::Device device) {
  const torch::NoGradGuard no_grad;
  torch::Tensor loss = torch::zeros({}, torch::dtype(torch::kFloat64).device(device));
  torch::Tensor right = torch::zeros({}, torch::dtype(torch::kInt64).device(device));
  torch::Tensor among_five = right.clone();
  bool has_top5 = false;
  Evaluation result;
  Batch batch;
  while (images.next(batch)) {
    const torch::Tensor labels = batch.labels.to(device);
    const torch::Tensor logits = network.forward(batch.images.to(device));
    loss += torch::cross_entropy_loss(logits, labels, {}, at::Reduction::Sum).to(torch::kFloat64);
    right += logits.argmax(1).eq(labels).sum();
    has_top5 = logits.size(1) > 5;
    if (has_top5) among_five += std::get<1>(logits.topk(5, 1)).eq(labels.unsqueeze(1)).sum();
    result.images += labels.size(0);
  }
  if (result.images == 0) return result;
  const auto count = static_cast<double>(result.images);
  result.loss = loss.item<double>() / count;
  result.top1 = 100.0 * static_cast<double>(right.item<int64_t>()) / count;
  if (has_top5) result.top5 = 100.0 * static_cast<double>(among_five.item<int64_t>()) / count;
  return result;
}

}  // namespace qbitopt
