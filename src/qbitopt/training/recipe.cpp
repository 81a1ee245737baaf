#include "qbitopt/training/recipe.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

#include "qbitopt/core/error.h"

namespace qbitopt {

Parameters optimization_parameters(const Parameters& parameters) {
  return parameters.below(parameters.has("pretraining.batch_size") ? "pretraining" : "training");
}

Recipe Recipe::from(const Parameters& parameters, int64_t train_images) {
  const Parameters own = optimization_parameters(parameters);
  Recipe recipe;
  recipe.batch_size = own.get<int64_t>("batch_size");
  const int64_t epochs = own.get<int64_t>("epochs");
  recipe.steps =
      epochs > 0 ? epochs * (train_images / recipe.batch_size) : own.get<int64_t>("steps");
  if (parameters.has("weights.root")) {
    recipe.steps = 0;  // published weights, as they are
  } else if (epochs > 0 && recipe.steps == 0) {
    throw InputError(fmt::format(
        "an epoch has no step: a batch of {} images is more than the {} training images",
        recipe.batch_size, train_images));
  } else if (recipe.steps <= 0) {
    throw InputError(
        "nothing to train: set training.epochs or training.steps (of fp32: pretraining.)");
  }
  recipe.learning_rate = own.get<double>("learning_rate");
  recipe.momentum = own.get<double>("momentum");
  recipe.nesterov = own.get<bool>("nesterov");
  if (recipe.nesterov && recipe.momentum == 0)
    throw InputError("Nesterov's momentum needs a momentum above 0 (training.momentum)");
  recipe.weight_decay = own.get<double>("weight_decay");
  recipe.is_cosine = own.get<std::string>("schedule") == "cosine";
  recipe.warmup_steps = own.get<int64_t>("warmup_steps");
  const auto autocast = own.get_or<std::string>("autocast", "none");
  recipe.precision = autocast == "bf16"   ? Precision::kBfloat16
                     : autocast == "fp16" ? Precision::kFloat16
                                          : Precision::kFloat32;
  recipe.label_smoothing = own.get_or("label_smoothing", 0.0);
  recipe.distillation = own.get_or("distillation", 0.0);
  recipe.distillation_temperature = own.get_or("distillation_temperature", 1.0);
  recipe.deterministic = own.get_or("deterministic", true);
  recipe.threads = own.get<int>("threads");
  recipe.validate_every = own.get<int64_t>("validate_every");
  const double freeze_at = parameters.get_or("batch_norm.freeze_at", 1.0);
  recipe.freeze_batch_norm_at = std::llround(freeze_at * static_cast<double>(recipe.steps));
  if (recipe.freeze_batch_norm_at >= recipe.steps) {
    recipe.reestimate_batches = parameters.get_or<int64_t>("batch_norm.reestimate_batches", 0);
  }
  return recipe;
}

double learning_rate_factor(const Recipe& recipe, int64_t step, int64_t steps) {
  const int64_t warmup = std::min(recipe.warmup_steps, steps);
  if (step < warmup) return static_cast<double>(step + 1) / static_cast<double>(warmup);
  if (!recipe.is_cosine) return 1;
  const double done = static_cast<double>(step - warmup) / static_cast<double>(steps - warmup);
  return 0.5 * (1 + std::cos(std::numbers::pi * done));
}

}  // namespace qbitopt
