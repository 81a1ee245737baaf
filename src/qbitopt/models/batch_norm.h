#pragma once

#include <functional>
#include <vector>

#include "qbitopt/quant/torch.h"

namespace qbitopt {

// Every batch norm of a network.
std::vector<torch::nn::BatchNorm2dImpl*> batch_norms(torch::nn::Module& network);

// From here on batch norms normalize with their running statistics, which stay as they are; their
// affine parameters go on training. Call again after network.train(), which undoes it.
void freeze_batch_norm(torch::nn::Module& network);

// Replaces all running statistics by their plain mean over the calls of `forward_batches`, which
// runs batches through the network (in training mode, without gradients). Modes are as before
// afterwards.
void reestimate_batch_norm(torch::nn::Module& network,
                           const std::function<void()>& forward_batches);

// While it lives: the network is in evaluation mode, but batch norms use the statistics of each
// batch. At its end modes and running statistics are as before. A difference between the accuracies
// in this mode and in plain evaluation says that the running statistics are off.
class BatchStatisticsScope {
 public:
  explicit BatchStatisticsScope(torch::nn::Module& network);
  ~BatchStatisticsScope();
  BatchStatisticsScope(const BatchStatisticsScope&) = delete;
  BatchStatisticsScope& operator=(const BatchStatisticsScope&) = delete;

 private:
  struct Saved {
    torch::nn::BatchNorm2dImpl* batch_norm;
    bool was_training;
    torch::Tensor running_mean, running_var, num_batches_tracked;
  };
  torch::nn::Module& network_;
  bool was_training_;
  std::vector<Saved> saved_;
};

// While it lives: the network is in evaluation mode, batch norms with their running statistics. At
// its end modes are as before.
class RunningStatisticsScope {
 public:
  explicit RunningStatisticsScope(torch::nn::Module& network);
  ~RunningStatisticsScope();
  RunningStatisticsScope(const RunningStatisticsScope&) = delete;
  RunningStatisticsScope& operator=(const RunningStatisticsScope&) = delete;

 private:
  torch::nn::Module& network_;
  bool was_training_;
  std::vector<torch::nn::BatchNorm2dImpl*> trained_;  // those that were in training mode
};

}  // namespace qbitopt
