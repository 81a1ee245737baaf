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
  recipe.accumulate = own.get<int>("accumulate");
  if (recipe.batch_size % recipe.accumulate != 0) {
    throw InputError(
        fmt::format("training.accumulate divides the batch of a step into {} equal parts, but "
                    "training.batch_size {} is not a multiple of that",
                    recipe.accumulate, recipe.batch_size));
  }
  const int64_t epochs = own.get<int64_t>("epochs");
  recipe.steps =
      epochs > 0 ? epochs * (train_images / recipe.batch_size) : own.get<int64_t>("steps");
  const bool is_fp32 = parameters.has("pretraining.batch_size");
  const bool has_weights =
      parameters.has("weights.root") || (is_fp32 && parameters.has("model.file"));
  if (has_weights && !parameters.get_or("weights.train", false)) {  // a parameter of fp32 only
    recipe.steps = 0;                                               // weights as they are
  } else if (epochs > 0 && recipe.steps == 0) {
    throw InputError(fmt::format(
        "an epoch has no steps, because a batch of {} images is larger than the {} training images",
        recipe.batch_size, train_images));
  } else if (recipe.steps <= 0) {
    throw InputError(
        "there are 0 steps to train; set training.epochs or training.steps (for fp32 below "
        "pretraining)");
  }
  recipe.learning_rate = own.get<double>("learning_rate");
  recipe.optimizer = optimizer_named(own.get<std::string>("optimizer"));
  recipe.momentum = own.get<double>("momentum");
  recipe.nesterov = own.get<bool>("nesterov");
  if (recipe.nesterov && recipe.momentum == 0)
    throw InputError("training.nesterov needs training.momentum above 0");
  if (recipe.nesterov && recipe.optimizer != WeightOptimizer::kSgd)
    throw InputError("training.nesterov applies only to training.optimizer: sgd");
  recipe.beta1 = own.get<double>("beta1");
  recipe.beta2 = own.get<double>("beta2");
  recipe.epsilon = own.get<double>("epsilon");
  recipe.weight_decay = own.get<double>("weight_decay");
  recipe.clip_gradient_norm = own.get<double>("clip_gradient_norm");
  recipe.ema_decay = own.get<double>("ema_decay");
  recipe.schedule = schedule_named(own.get<std::string>("schedule"));
  recipe.warmup_steps = own.get<int64_t>("warmup_steps");
  recipe.end_factor = own.get<double>("end_factor");
  recipe.power = own.get<double>("power");
  recipe.milestones = own.get<std::vector<double>>("milestones");
  recipe.gamma = own.get<double>("gamma");
  const auto autocast = own.get<std::string>("autocast");
  recipe.precision = autocast == "bf16"   ? Precision::kBfloat16
                     : autocast == "fp16" ? Precision::kFloat16
                                          : Precision::kFloat32;
  recipe.label_smoothing = own.get<double>("label_smoothing");
  recipe.distillation = own.get<double>("distillation");
  recipe.distillation_temperature = own.get<double>("distillation_temperature");
  recipe.deterministic = own.get<bool>("deterministic");
  recipe.joined_passes = own.get<std::string>("kernels") == "joined";
  recipe.threads = own.get<int>("threads");
  recipe.validate_every = own.get<int64_t>("validate_every");
  // fp32 has no batch_norm.*: nothing is frozen or re-estimated.
  const double freeze_at = parameters.get_or("batch_norm.freeze_at", 1.0);
  recipe.freeze_batch_norm_at = std::llround(freeze_at * static_cast<double>(recipe.steps));
  if (recipe.freeze_batch_norm_at >= recipe.steps) {
    recipe.reestimate_batches = parameters.get_or<int64_t>("batch_norm.reestimate_batches", 0);
  }
  return recipe;
}

}  // namespace qbitopt
