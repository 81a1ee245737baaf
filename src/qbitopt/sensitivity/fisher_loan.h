#pragma once

#include <functional>
#include <string>
#include <vector>

#include "qbitopt/sensitivity/measured.h"

namespace qbitopt {

// Lends the quantizers' Fisher estimates, emptied, to one measurement. At its end they hold what
// they held before.
class FisherLoan {
 public:
  // `passes`: backward passes of a step (see FisherEstimate::set_weights()).
  FisherLoan(const UniformQuantizers& quantizers, FisherWeights weights, int passes);
  ~FisherLoan();
  FisherLoan(const FisherLoan&) = delete;
  FisherLoan& operator=(const FisherLoan&) = delete;

  // Runs backward from the loss into the estimates. Gradients of parameters stay as they are.
  void backward(const torch::Tensor& loss, bool retain_graph = false);
  // Ends a step of `samples`. All steps count alike: the average is the plain mean.
  void end_step(int64_t samples);
  // FIT's costs [nats] from the mean over the steps so far. The table's note counts the `things`
  // ("gradients of a sample") that were not finite and left out. Calls `fail`, which must throw, with
  // the number of steps for a quantizer of which nothing is left.
  CostTable costs(const std::string& things,
                  const std::function<void(const Quantizer&, int64_t)>& fail) const;

 private:
  struct Before {
    torch::Tensor state;
    double decay;
    FisherWeights weights;
    int passes;
    bool was_tracked;
  };
  const UniformQuantizers& quantizers_;
  std::vector<torch::Tensor> ranges_;
  std::vector<Before> before_;
  int64_t steps_ = 0;
};

}  // namespace qbitopt
