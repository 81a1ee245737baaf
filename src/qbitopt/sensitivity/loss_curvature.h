#pragma once

#include <string>
#include <vector>

#include "qbitopt/sensitivity/measured.h"

namespace qbitopt {

// Second derivatives of the mean cross-entropy L over one batch with respect to what every
// quantizer hands on: for a weight the tensor itself, for an activation the tensor of the whole
// batch. Derivatives pass through quantizers straight-through (Stage::kTraining), or there are none
// (kBeforeTraining: the Hessian of the network in full precision, as in HAWQ).
//
// Only a tensor's own block H_qq = d^2 L / dx_q^2 is looked at, by vectors that are zero in all
// other tensors. One vector through all tensors at once is cheaper, but adds the blocks H_qp as
// noise, and the small tensors drown in that of the large ones. And only the entries that rounding
// can move (can_move()): an exact zero after a ReLU has curvature, but no error.
//
// Batch norm has to work with its running statistics, before and while training: that is the network
// as it will be evaluated, and after a change of bits the statistics have a whole period
// (reallocation.tau) to settle. Then images do not depend on each other (an activation's block
// consists of one block an image), and where all between x_q and the logits is piecewise linear
// (convolution, batch norm, ReLU, pooling), so are the logits in x_q alone, and H_qq = J' S J with
// J = dlogits / dx_q and S = diag(p) - p p' of the softmax: no eigenvalue is negative. With a
// batch's statistics neither holds.
//
// Holds the graph of the first derivatives: memory of about two training steps on these images.
class LossCurvature {
 public:
  // Throws InputError that names the quantizer where second derivatives do not exist (`metric` for
  // the message).
  LossCurvature(std::string metric, SensitivityContext& context,
                const UniformQuantizers& quantizers, Stage stage, const torch::Tensor& images,
                const torch::Tensor& labels);

  // x_q, in the order of quantizers.
  const std::vector<torch::Tensor>& tensors() const { return tensors_; }
  // True where rounding can move an entry of x_q; shaped as x_q.
  const torch::Tensor& movable(size_t q) const { return movable_[q]; }
  // M H_qq M v, where M sets the entries that are not movable to 0; shaped as x_q. Cheaper the later
  // q is in the network.
  torch::Tensor own_product(size_t q, const torch::Tensor& vector) const;

 private:
  [[noreturn]] void fail(size_t q, const std::string& reason) const;

  std::string metric_;
  const UniformQuantizers& quantizers_;
  std::vector<torch::Tensor> tensors_;
  std::vector<torch::Tensor> movable_;
  std::vector<torch::Tensor> gradients_;
};

// Throws InputError that names the first quantizer whose own block of the Hessian does not exist.
// An operation whose gradient leaves no graph behind would otherwise pass for one without
// curvature.
void require_second_derivatives(const std::string& metric, SensitivityContext& context,
                                const UniformQuantizers& quantizers, Stage stage,
                                const LabeledBatches& batches);

}  // namespace qbitopt
