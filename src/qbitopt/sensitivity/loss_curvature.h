#pragma once

#include <string>
#include <vector>

#include "qbitopt/sensitivity/measured.h"

namespace qbitopt {

// Second derivatives of the mean cross-entropy L over one batch with respect to what every
// quantiser hands on: for a weight the tensor itself, for an activation the tensor of the whole
// batch. Derivatives pass through quantisers straight-through (Stage::kTraining), or there are none
// (kBeforeTraining: the Hessian of the network in full precision, as in HAWQ).
//
// Holds the graph of the first derivatives: memory of about two training steps.
class LossCurvature {
 public:
  // Throws InputError that names the quantiser where second derivatives do not exist (`metric` for
  // the message).
  LossCurvature(std::string metric, SensitivityContext& context,
                const UniformQuantizers& quantizers, Stage stage, const torch::Tensor& images,
                const torch::Tensor& labels);

  // x_q, in the order of quantisers.
  const std::vector<torch::Tensor>& tensors() const { return tensors_; }
  // For all q at once: sum over p of H_qp v_p, where H_qp = d^2 L / dx_q dx_p. vectors[q]: shaped
  // as x_q.
  std::vector<torch::Tensor> product(const std::vector<torch::Tensor>& vectors) const;
  // H_qq v. Cheaper the later q is in the network.
  torch::Tensor own_product(size_t q, const torch::Tensor& vector) const;

 private:
  [[noreturn]] void fail(size_t q, const std::string& reason) const;

  std::string metric_;
  const UniformQuantizers& quantizers_;
  std::vector<torch::Tensor> tensors_;
  std::vector<torch::Tensor> gradients_;
};

// Throws InputError that names the first quantiser whose own block of the Hessian does not exist.
// An operation whose gradient leaves no graph behind would otherwise pass for one without
// curvature.
void require_second_derivatives(const std::string& metric, SensitivityContext& context,
                                const UniformQuantizers& quantizers, Stage stage,
                                const LabelledBatches& batches);

}  // namespace qbitopt
