#include "qbitopt/training/distillation.h"

namespace qbitopt {

torch::Tensor distillation_loss(const torch::Tensor& student, const torch::Tensor& teacher,
                                double temperature) {
  const torch::Tensor target = torch::log_softmax(teacher.detach() / temperature, 1);
  const torch::Tensor divergence =
      torch::kl_div(torch::log_softmax(student / temperature, 1), target, at::Reduction::Sum,
                    /*log_target=*/true);
  return divergence / student.size(0) * (temperature * temperature);
}

}  // namespace qbitopt
