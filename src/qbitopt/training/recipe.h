#pragma once

#include <cstdint>

#include "qbitopt/core/parameters.h"

namespace qbitopt {

// The parameters of optimization.yaml: those below `training`, or below `pretraining` for fp32.
Parameters optimization_parameters(const Parameters& parameters);

// What convolutions and linear layers of the training pass compute in.
enum class Precision { kFloat32, kBfloat16, kFloat16 };

// How the weights are trained.
struct Recipe {
  int64_t steps = 0;  // in all; 0: published weights are taken as they are
  int64_t batch_size = 64;
  double learning_rate = 0.05;
  double momentum = 0.9;
  bool nesterov = false;
  double weight_decay = 1e-4;
  bool is_cosine = true;
  int64_t warmup_steps = 0;
  double label_smoothing = 0;  // share of a label that is spread over all classes
  double distillation = 0;     // share of the loss that comes from the teacher's answers
  double distillation_temperature = 1;
  Precision precision = Precision::kFloat32;
  bool deterministic = true;  // of cuDNN's algorithms
  int threads = 1;
  int64_t validate_every = 0;        // steps; 0: at the end only
  int64_t freeze_batch_norm_at = 0;  // step from which running statistics are used; `steps`: never
  int64_t reestimate_batches = 0;    // only without the freeze

  // `train_images`: what an epoch is. Throws InputError if there are no steps to do.
  static Recipe from(const Parameters& parameters, int64_t train_images);
};

// Factor on every learning rate at a step of a schedule over `steps` steps: linear warm-up to 1,
// then constant, or half a cosine that ends at 0.
double learning_rate_factor(const Recipe& recipe, int64_t step, int64_t steps);

}  // namespace qbitopt
