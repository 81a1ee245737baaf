#include "qbitopt/data/batch_source.h"

namespace qbitopt {

Batch on_device(const Batch& batch, torch::Device device) {
  const auto move = [&](const torch::Tensor& tensor) {
    return tensor.to(device, /*non_blocking=*/true);
  };
  Batch moved{move(batch.images), move(batch.labels)};
  if (batch.scale.defined())
    moved.images = (moved.images * move(batch.scale)).add_(move(batch.shift));
  return moved;
}

Transport transport_to(torch::Device device) {
  return {.as_bytes = device.is_cuda(), .pinned = device.is_cuda()};
}

Batch pinned(const Batch& batch) {
  const auto pin = [](const torch::Tensor& tensor) {
    return tensor.defined() ? tensor.pin_memory() : tensor;
  };
  return {pin(batch.images), pin(batch.labels), pin(batch.scale), pin(batch.shift)};
}

}  // namespace qbitopt
