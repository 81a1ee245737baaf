#include "qbitopt/models/batch_norm.h"

#include <optional>

namespace qbitopt {

std::vector<torch::nn::BatchNorm2dImpl*> batch_norms(torch::nn::Module& network) {
  std::vector<torch::nn::BatchNorm2dImpl*> found;
  for (const auto& module : network.modules(/*include_self=*/false)) {
    if (auto* batch_norm = module->as<torch::nn::BatchNorm2d>()) found.push_back(batch_norm);
  }
  return found;
}

void freeze_batch_norm(torch::nn::Module& network) {
  for (auto* batch_norm : batch_norms(network)) batch_norm->eval();
}

void reestimate_batch_norm(torch::nn::Module& network,
                           const std::function<void()>& forward_batches) {
  const torch::NoGradGuard no_grad;
  const auto found = batch_norms(network);
  std::vector<bool> were_training;
  std::vector<std::optional<double>> momenta;
  const bool was_training = network.is_training();
  for (auto* batch_norm : found) were_training.push_back(batch_norm->is_training());

  network.train();
  for (auto* batch_norm : found) {
    momenta.push_back(batch_norm->options.momentum());
    batch_norm->options.momentum(std::nullopt);  // PyTorch's cumulative mean
    batch_norm->reset_running_stats();
  }
  forward_batches();
  network.train(was_training);
  for (size_t i = 0; i < found.size(); ++i) {
    found[i]->options.momentum(momenta[i]);
    found[i]->train(were_training[i]);
  }
}

BatchStatisticsScope::BatchStatisticsScope(torch::nn::Module& network)
    : network_(network), was_training_(network.is_training()) {
  for (auto* batch_norm : batch_norms(network)) {
    saved_.push_back({batch_norm, batch_norm->is_training(), batch_norm->running_mean.clone(),
                      batch_norm->running_var.clone(), batch_norm->num_batches_tracked.clone()});
  }
  network.eval();
  for (const Saved& saved : saved_) saved.batch_norm->train();
}

BatchStatisticsScope::~BatchStatisticsScope() {
  const torch::NoGradGuard no_grad;
  network_.train(was_training_);
  for (const Saved& saved : saved_) {
    saved.batch_norm->train(saved.was_training);
    saved.batch_norm->running_mean.copy_(saved.running_mean);
    saved.batch_norm->running_var.copy_(saved.running_var);
    saved.batch_norm->num_batches_tracked.copy_(saved.num_batches_tracked);
  }
}

RunningStatisticsScope::RunningStatisticsScope(torch::nn::Module& network)
    : network_(network), was_training_(network.is_training()) {
  for (auto* batch_norm : batch_norms(network)) {
    if (batch_norm->is_training()) trained_.push_back(batch_norm);
  }
  network.eval();
}

RunningStatisticsScope::~RunningStatisticsScope() {
  network_.train(was_training_);
  freeze_batch_norm(network_);
  for (auto* batch_norm : trained_) batch_norm->train();
}

}  // namespace qbitopt
