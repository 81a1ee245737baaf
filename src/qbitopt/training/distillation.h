#pragma once

#include "qbitopt/quant/torch.h"

namespace qbitopt {

// What a student's answers are away from a teacher's (Hinton et al., 2015), in nats, mean over the
// images:
//
//   T^2 * KL( softmax(teacher / T) || softmax(student / T) )
//
// T^2 keeps the size of the gradients, which fall with 1 / T^2. student, teacher: logits [images,
// classes]; gradients go to the student's alone. temperature > 0.
torch::Tensor distillation_loss(const torch::Tensor& student, const torch::Tensor& teacher,
                                double temperature);

}  // namespace qbitopt
