#include "qbitopt/training/learning_rate.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace qbitopt {
namespace {

double step_factor(const Recipe& recipe, int64_t step, int64_t steps) {
  const auto passed =
      std::count_if(recipe.milestones.begin(), recipe.milestones.end(), [&](double milestone) {
        return step >= std::llround(milestone * static_cast<double>(steps));
      });
  return std::pow(recipe.gamma, static_cast<double>(passed));
}

}  // namespace

double learning_rate_factor(const Recipe& recipe, int64_t step, int64_t steps) {
  const int64_t warmup = std::min(recipe.warmup_steps, steps);
  if (step < warmup) return static_cast<double>(step + 1) / static_cast<double>(warmup);
  if (recipe.schedule == Schedule::kConstant) return 1;
  if (recipe.schedule == Schedule::kStep) return step_factor(recipe, step, steps);
  const double done = static_cast<double>(step - warmup) / static_cast<double>(steps - warmup);
  const double falling = recipe.schedule == Schedule::kCosine
                             ? 0.5 * (1 + std::cos(std::numbers::pi * done))
                             : std::pow(1 - done, recipe.power);
  return recipe.end_factor + (1 - recipe.end_factor) * falling;
}

double cosine_between(double first, double last, int64_t step, int64_t steps) {
  if (steps <= 0) return last;
  const double done = static_cast<double>(std::min(step, steps)) / static_cast<double>(steps);
  return last + 0.5 * (first - last) * (1 + std::cos(std::numbers::pi * done));
}

}  // namespace qbitopt
