#include "qbitopt/training/weight_average.h"

#include <stdexcept>
#include <string>

#include "qbitopt/models/batch_norm.h"

namespace qbitopt {

using torch::Tensor;

WeightAverage::WeightAverage(double decay, const std::vector<Tensor>& weights, Network& network,
                             const std::vector<QuantizerPtr>& quantizers)
    : decay_(decay) {
  if (!is_on()) return;
  for (const Tensor& weight : weights) add(weight);
  for (auto* batch_norm : batch_norms(network)) {
    add(batch_norm->running_mean);
    add(batch_norm->running_var);
  }
  for (const QuantizerPtr& any : quantizers) {
    const auto quantizer = std::dynamic_pointer_cast<UniformQuantizer>(any);
    if (!quantizer) continue;
    const bool is_refitted = quantizer->options().range_at_change == RangeAtChange::kRefit;
    add(quantizer->range(), is_refitted ? quantizer : nullptr);
    if (quantizer->offset().defined()) add(quantizer->offset());
  }
}

void WeightAverage::add(const Tensor& value, std::shared_ptr<UniformQuantizer> refitted) {
  const int bits = refitted ? refitted->bits() : 0;
  items_.push_back({value, torch::zeros_like(value), true, std::move(refitted), bits});
}

void WeightAverage::empty_refitted() {
  for (Item& item : items_) {
    if (!item.refitted || item.refitted->bits() == item.bits) continue;
    item.bits = item.refitted->bits();
    item.is_empty = true;
  }
}

void WeightAverage::update() {
  const torch::NoGradGuard no_grad;
  empty_refitted();
  std::vector<Tensor> values, averages;
  for (Item& item : items_) {
    if (item.is_empty) {
      item.average.copy_(item.value);
      item.is_empty = false;
    } else {
      values.push_back(item.value);
      averages.push_back(item.average);
    }
  }
  if (!values.empty()) at::_foreach_lerp_(averages, values, 1 - decay_);
}

void WeightAverage::restart() {
  for (Item& item : items_) item.is_empty = true;
}

void WeightAverage::swap() {
  const torch::NoGradGuard no_grad;
  empty_refitted();
  for (Item& item : items_) {
    if (item.is_empty) continue;
    const Tensor value = item.value.clone();
    item.value.copy_(item.average);
    item.average.copy_(value);
  }
}

void WeightAverage::save(torch::serialize::OutputArchive& archive) const {
  std::vector<Tensor> averages;
  std::vector<int64_t> empty;
  for (const Item& item : items_) {
    averages.push_back(item.average);
    empty.push_back(item.is_empty);
  }
  archive.write("averages", c10::IValue(averages));
  archive.write("empty", c10::IValue(empty));
}

void WeightAverage::load(torch::serialize::InputArchive& archive) {
  c10::IValue stored_averages, stored_empty;
  archive.read("averages", stored_averages);
  archive.read("empty", stored_empty);
  const auto averages = stored_averages.toTensorVector();
  const auto empty = stored_empty.toIntVector();
  if (averages.size() != items_.size() || empty.size() != items_.size()) {
    throw std::runtime_error("the checkpoint averages " + std::to_string(averages.size()) +
                             " tensors; expected " + std::to_string(items_.size()));
  }
  for (size_t i = 0; i < items_.size(); ++i) {
    Item& item = items_[i];
    if (averages[i].sizes() != item.average.sizes()) {
      throw std::runtime_error("the checkpoint's averaged tensor " + std::to_string(i) +
                               " has another shape");
    }
    item.average.copy_(averages[i]);
    item.is_empty = empty[i] != 0;
    if (item.refitted) item.bits = item.refitted->bits();
  }
}

}  // namespace qbitopt
