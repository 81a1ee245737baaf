#include "qbitopt/training/training_narrator.h"

#include <fmt/format.h>

#include <cmath>

#include "qbitopt/training/evaluation.h"

namespace qbitopt {

void TrainingNarrator::add_pass(const torch::Tensor& loss, int passes, const torch::Tensor& logits,
                                const torch::Tensor& labels) {
  const torch::NoGradGuard no_grad;
  passes_.push_back(
      {state_.step + 1, torch::stack({loss * (passes * labels.size(0)),
                                      logits.argmax(1).eq(labels).sum().to(loss.dtype())})
                            .to(torch::kFloat64)});
  state_.images += labels.size(0);
}

void TrainingNarrator::add_passes() {
  if (passes_.empty()) return;
  std::vector<torch::Tensor> each;
  for (const Pass& pass : passes_) each.push_back(pass.sums);
  const torch::Tensor sums = torch::stack(each).cpu();
  const auto values = sums.accessor<double, 2>();
  for (size_t i = 0; i < passes_.size(); ++i) {
    const double loss = values[static_cast<int64_t>(i)][0];
    if (!std::isfinite(loss)) {
      const int64_t step = passes_[i].step;
      throw diverged(observer_, step, "loss", loss,
                     fmt::format("the loss is {} at step {}", loss, step));
    }
    state_.loss_sum += loss;
    state_.right_sum += values[static_cast<int64_t>(i)][1];
  }
  passes_.clear();
}

void TrainingNarrator::tell_training(double learning_rate) {
  add_passes();
  const auto images = static_cast<double>(state_.images);
  last_loss_ = state_.loss_sum / images;
  last_top1_ = 100 * state_.right_sum / images;
  Metrics told{state_.step, "train", context_.oscillations().metrics()};
  told.values["loss"] = last_loss_;
  told.values["top1"] = last_top1_;
  told.values["learning_rate"] = learning_rate;
  observer_.on_event(std::move(told));
  state_.loss_sum = state_.right_sum = 0;
  state_.images = 0;
}

void TrainingNarrator::progress(const std::string& phase) {
  told_ = Clock::now();
  observer_.on_event(Progress{state_.step, context_.total_steps(), phase, last_loss_, last_top1_,
                              context_.average_bits()});
  if (damaged_told_ == 0) tell_damaged();
}

double TrainingNarrator::seconds_since_progress() const {
  return std::chrono::duration<double>(Clock::now() - told_).count();
}

void TrainingNarrator::tell_damaged() {
  const size_t damaged = context_.data().damaged().size();
  if (damaged == damaged_told_) return;
  damaged_told_ = damaged;
  observer_.on_event(Note{"warning", damage_text(context_.data())});
}

JobError diverged(TrainingObserver& observer, int64_t step, const std::string& name, double value,
                  const std::string& text) {
  observer.on_event(NonFinite{step, name, std::isnan(value) ? "nan" : "inf"});
  return {"non_finite", text + "; a smaller learning rate, or a longer warm-up, may help"};
}

}  // namespace qbitopt
