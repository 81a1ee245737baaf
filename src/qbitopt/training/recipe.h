#pragma once

#include <cstdint>
#include <vector>

#include "qbitopt/core/parameters.h"

namespace qbitopt {

// The parameters of optimization.yaml: those below `training`, or below `pretraining` for fp32.
Parameters optimization_parameters(const Parameters& parameters);

// What convolutions and linear layers of the training pass compute in.
enum class Precision { kFloat32, kBfloat16, kFloat16 };

enum class WeightOptimizer { kSgd, kAdamW };

// What the learning rates do over the steps: see learning_rate_factor().
enum class Schedule { kCosine, kConstant, kStep, kPolynomial };

// How the weights are trained.
struct Recipe {
  int64_t steps = 0;            // in all; 0: published weights are taken as they are
  int64_t batch_size = 64;      // images of a step
  int accumulate = 1;           // passes that they are divided into
  double learning_rate = 0.05;  // of the weights, at the top of the schedule
  WeightOptimizer optimizer = WeightOptimizer::kSgd;
  double momentum = 0.9;                              // SGD
  bool nesterov = false;                              // SGD
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;  // AdamW
  double weight_decay = 1e-4;     // SGD: added to the gradient; AdamW: decoupled
  double clip_gradient_norm = 0;  // largest norm of all weights' gradients together; 0: any
  double ema_decay = 0;           // of the weights' average (WeightAverage); 0: none
  Schedule schedule = Schedule::kCosine;
  int64_t warmup_steps = 0;                      // linear rise, before the schedule
  double end_factor = 0;                         // of cosine and polynomial: the last factor
  double power = 1;                              // of polynomial
  std::vector<double> milestones = {0.5, 0.75};  // of step: fractions of the schedule's steps
  double gamma = 0.1;                            // of step
  double label_smoothing = 0;                    // share of a label that is spread over all classes
  double distillation = 0;  // share of the loss that comes from the teacher's answers
  double distillation_temperature = 1;
  Precision precision = Precision::kFloat32;
  bool deterministic = true;         // of cuDNN's algorithms
  bool joined_passes = false;        // NetworkOptions::joined_passes
  int threads = 1;                   // of LibTorch, on the CPU
  int64_t validate_every = 0;        // steps; 0: at the end only
  int64_t freeze_batch_norm_at = 0;  // step from which running statistics are used; `steps`: never
  int64_t reestimate_batches = 0;    // only without the freeze

  // `train_images`: what an epoch is. Throws InputError if there are no steps to do.
  static Recipe from(const Parameters& parameters, int64_t train_images);
};

}  // namespace qbitopt
