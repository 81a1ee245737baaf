#include "qbitopt/training/evaluation.h"

#include <fmt/format.h>

#include "qbitopt/core/error.h"

namespace qbitopt {
namespace {

constexpr size_t kMostNamed = 3;

const char* split_name(Split split) {
  return split == Split::kTrain ? "training" : split == Split::kValidation ? "validation" : "test";
}

// While it lives, GPUs multiply float32 as it is, not rounded to TF32's ten bits of mantissa.
class WithoutTf32 {
 public:
  WithoutTf32()
      : convolutions_(at::globalContext().allowTF32CuDNN()),
        products_(at::globalContext().allowTF32CuBLAS()) {
    set(false, false);
  }
  ~WithoutTf32() { set(convolutions_, products_); }
  WithoutTf32(const WithoutTf32&) = delete;
  WithoutTf32& operator=(const WithoutTf32&) = delete;

 private:
  static void set(bool convolutions, bool products) {
    at::globalContext().setAllowTF32CuDNN(convolutions);
    at::globalContext().setAllowTF32CuBLAS(products);
  }
  bool convolutions_, products_;
};

}  // namespace

Evaluation evaluate(Network& network, BatchStream& images, torch::Device device) {
  const torch::NoGradGuard no_grad;
  const WithoutTf32 exact;
  torch::Tensor loss = torch::zeros({}, torch::dtype(torch::kFloat64).device(device));
  torch::Tensor right = torch::zeros({}, torch::dtype(torch::kInt64).device(device));
  torch::Tensor among_five = right.clone();
  bool has_top5 = false;
  Evaluation result;
  Batch batch;
  while (images.next(batch)) {
    if (batch.labels.numel() == 0) continue;  // all of them damaged
    batch = on_device(batch, device);
    const torch::Tensor& labels = batch.labels;
    const torch::Tensor logits = network.forward(batch.images);
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

Evaluation evaluate_split(Network& network, const DataSet& data, Split split, int64_t batch_size,
                          torch::Device device) {
  const auto images = data.once(split, batch_size, /*limit=*/0, transport_to(device));
  const Evaluation result = evaluate(network, *images, device);
  if (result.images > 0) return result;
  throw JobError("data",
                 fmt::format("none of the {} {} images can be decoded to measure accuracy; {}",
                             data.size(split), split_name(split), damage_text(data)));
}

std::string damage_text(const DataSet& data) {
  const auto damaged = data.damaged();
  if (damaged.empty()) return "";
  std::string names;
  size_t named = 0;
  for (const auto& [file, reason] : damaged) {
    if (named == kMostNamed) break;
    names += fmt::format("{}{} ({})", named++ > 0 ? ", " : "", file, reason);
  }
  if (damaged.size() > named) names += fmt::format(" and {} more", damaged.size() - named);
  return damaged.size() == 1 ? "1 image could not be decoded and was skipped: " + names
                             : fmt::format("{} images could not be decoded and were skipped: {}",
                                           damaged.size(), names);
}

}  // namespace qbitopt
