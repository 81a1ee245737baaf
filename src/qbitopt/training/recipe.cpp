#include "qbitopt/training/recipe.h"

#include <fmt/format.h>

#include <cmath>
#include <string>

#include "qbitopt/core/error.h"
#include "qbitopt/core/names.h"

namespace qbitopt {

namespace {

Schedule schedule_named(const std::string& name) {
  if (name == "cosine") return Schedule::kCosine;
  if (name == "constant") return Schedule::kConstant;
  if (name == "step") return Schedule::kStep;
  if (name == "polynomial") return Schedule::kPolynomial;
  throw InputError(unknown_name("schedule", name, {"constant", "cosine", "polynomial", "step"}));
}

WeightOptimizer optimizer_named(const std::string& name) {
  if (name == "sgd") return WeightOptimizer::kSgd;
  if (name == "adamw") return WeightOptimizer::kAdamW;
  throw InputError(unknown_name("optimizer", name, {"adamw", "sgd"}));
}

}  // namespace

Parameters optimization_parameters(const Parameters& parameters) {
  return parameters.below(parameters.has("pretraining.batch_size") ? "pretraining" : "training");
}

Recipe Recipe::from(const Parameters& parameters, int64_t train_images) {
  const Parameters own = optimization_parameters(parameters);
  Recipe recipe;
  recipe.batch_size = own.get<int64_t>("batch_size");
  recipe.accumulate = own.get_or("accumulate", 1);
  if (recipe.batch_size % recipe.accumulate != 0) {
    throw InputError(
        fmt::format("training.accumulate divides a step's batch into {} equal parts; "
                    "training.batch_size {} is no multiple",
                    recipe.accumulate, recipe.batch_size));
  }
  const int64_t epochs = own.get<int64_t>("epochs");
  recipe.steps =
      epochs > 0 ? epochs * (train_images / recipe.batch_size) : own.get<int64_t>("steps");
  const bool is_fp32 = parameters.has("pretraining.batch_size");
  const bool has_weights =
      parameters.has("weights.root") || (is_fp32 && parameters.has("model.file"));
  if (has_weights && !parameters.get_or("weights.train", false)) {
    recipe.steps = 0;  // weights as they are
  } else if (epochs > 0 && recipe.steps == 0) {
    throw InputError(fmt::format(
        "an epoch has no step: a batch of {} images is more than the {} training images",
        recipe.batch_size, train_images));
  } else if (recipe.steps <= 0) {
    throw InputError(
        "nothing to train: set training.epochs or training.steps (of fp32: pretraining.)");
  }
  recipe.learning_rate = own.get<double>("learning_rate");
  recipe.optimizer = optimizer_named(own.get_or<std::string>("optimizer", "sgd"));
  recipe.momentum = own.get<double>("momentum");
  recipe.nesterov = own.get<bool>("nesterov");
  if (recipe.nesterov && recipe.momentum == 0)
    throw InputError("Nesterov's momentum needs a momentum above 0 (training.momentum)");
  if (recipe.nesterov && recipe.optimizer != WeightOptimizer::kSgd)
    throw InputError("Nesterov's momentum is for training.optimizer: sgd");
  recipe.beta1 = own.get_or("beta1", recipe.beta1);
  recipe.beta2 = own.get_or("beta2", recipe.beta2);
  recipe.epsilon = own.get_or("epsilon", recipe.epsilon);
  recipe.weight_decay = own.get<double>("weight_decay");
  recipe.clip_gradient_norm = own.get_or("clip_gradient_norm", 0.0);
  recipe.ema_decay = own.get_or("ema_decay", 0.0);
  recipe.schedule = schedule_named(own.get<std::string>("schedule"));
  recipe.warmup_steps = own.get<int64_t>("warmup_steps");
  recipe.end_factor = own.get_or("end_factor", recipe.end_factor);
  recipe.power = own.get_or("power", recipe.power);
  recipe.milestones = own.get_or("milestones", recipe.milestones);
  recipe.gamma = own.get_or("gamma", recipe.gamma);
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

}  // namespace qbitopt
