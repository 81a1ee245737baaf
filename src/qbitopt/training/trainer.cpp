#include "qbitopt/training/trainer.h"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "qbitopt/core/random.h"
#include "qbitopt/models/batch_norm.h"
#include "qbitopt/models/state_file.h"
#include "qbitopt/models/weight_bytes.h"
#include "qbitopt/training/autocast.h"
#include "qbitopt/training/checkpoint.h"
#include "qbitopt/training/distillation.h"
#include "qbitopt/training/evaluation.h"
#include "qbitopt/training/learning_rate.h"
#include "qbitopt/training/method_hook.h"
#include "qbitopt/training/outcome.h"
#include "qbitopt/training/process.h"
#include "qbitopt/training/stretch.h"
#include "qbitopt/training/training_narrator.h"
#include "qbitopt/training/weight_average.h"

namespace qbitopt {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kProgressSeconds = 0.5;
// A checkpoint is written after this many seconds, and this many times the duration of writing one.
constexpr double kCheckpointSeconds = 60;
constexpr double kCheckpointShare = 20;
constexpr int64_t kCurvePoints = 100;

double seconds_since(Clock::time_point time) {
  return std::chrono::duration<double>(Clock::now() - time).count();
}

class TrainingRun {
 public:
  TrainingRun(const Attempt& attempt, const Registries& registries, TrainingObserver& observer,
              const std::atomic<bool>& stop)
      : attempt_(attempt),
        observer_(observer),
        stop_(stop),
        context_(attempt, registries, observer),
        method_(context_.method()),
        stretches_(
            lay_out(call_hook("phases", [&] { return method_.phases(context_.total_steps()); }),
                    context_.total_steps())),
        optimizers_(context_.recipe(), context_.weights(), context_.quantizers(),
                    context_.parameters(),
                    call_hook("extra_parameters", [&] { return method_.extra_parameters(); })),
        average_(context_.recipe().ema_decay, context_.weights(), context_.network(),
                 context_.quantizers()) {}

  RunOutcome run() {
    begin();
    if (!train()) {
      checkpoint();
      return RunOutcome::kInterrupted;
    }
    finish();
    return RunOutcome::kFinished;
  }

 private:
  void begin() {
    call_hook("prepare", [&] { method_.prepare(context_); });
    if (attempt_.resume_from.empty()) {
      if (const std::string remark = context_.data().remark(); !remark.empty())
        observer_.on_event(Note{"warning", remark});
      narrator_.progress("calibrate");
      torch::manual_seed(Random(context_.seed(), "start").next());
      call_hook("start", [&] { method_.start(context_); });
    } else {
      state_ = read_checkpoint(attempt_.resume_from, context_, optimizers_, average_);
      seconds_before_ = state_.seconds;
    }
    checkpointed_ = Clock::now();
  }

  // False: interrupted.
  bool train() {
    const Recipe& recipe = context_.recipe();
    const auto images = context_.train_stream("training", recipe.batch_size, state_.step);
    set_training_mode();
    Batch batch;
    while (state_.step < recipe.steps) {
      if (stop_) return false;
      const auto begun = Clock::now();
      images->next(batch);
      step(on_device(batch, context_.device()));
      ++state_.step;
      state_.train_seconds += seconds_since(begun);
      tell();
      if (seconds_since(checkpointed_) >
          std::max(kCheckpointSeconds, kCheckpointShare * checkpoint_cost_)) {
        checkpoint();
      }
    }
    return true;
  }

  void step(const Batch& batch) {
    const Stretch& stretch = enter_stretch();
    if (state_.step == context_.recipe().freeze_batch_norm_at)
      freeze_batch_norm(context_.network());
    torch::manual_seed(Random(context_.seed(), "step", static_cast<uint64_t>(state_.step)).next());
    StepState now{
        state_.step,           &stretch.phase, &batch, {}, is_scaled_ ? state_.loss_scale.value : 1,
        factor_at(state_.step)};
    call_hook("before_step", [&] { method_.before_step(context_, now); });
    optimizers_.zero_grad();
    const int passes = passes_for(batch);
    const int64_t part = batch.labels.size(0) / passes;
    for (int pass = 0; pass < passes; ++pass) {
      const auto slice = [&](const torch::Tensor& all) {
        return passes == 1 ? all : all.slice(0, pass * part, (pass + 1) * part);
      };
      now.loss = forward(slice(batch.images), slice(batch.labels), passes);
      const torch::Tensor term =
          call_hook("loss_term", [&] { return method_.loss_term(context_, now); });
      if (term.defined()) now.loss = now.loss + term / passes;
      // It is a function of the weights alone: once a step is enough.
      const torch::Tensor dampening =
          pass + 1 < passes ? torch::Tensor() : context_.oscillations().dampening_loss(state_.step);
      if (dampening.defined()) now.loss = now.loss + dampening;
      (now.loss_scale == 1 ? now.loss : now.loss * now.loss_scale).backward();
    }
    const bool is_finite = !is_scaled_ || state_.loss_scale.unscale(optimizers_.gradients());
    call_hook("after_backward", [&] { method_.after_backward(context_, now); });
    if (is_finite) {
      context_.oscillations().before_optimizer_step();
      optimizers_.step(now.learning_rate_factor);
    }
    call_hook("after_step", [&] { method_.after_step(context_, now); });
    if (is_finite) context_.oscillations().after_step(state_.step + 1);
    if (state_.step - stretch.schedule_begin < context_.recipe().warmup_steps) {
      average_.restart();
    } else {
      average_.update();
    }
  }

  // Equal parts of the batch, which run forward and backward one after another.
  int passes_for(const Batch& batch) {
    const int needed =
        call_hook("backward_passes_per_step", [&] { return method_.backward_passes_per_step(); });
    const int passes = std::max(needed, context_.recipe().accumulate);
    if (batch.labels.size(0) % passes == 0) return passes;
    throw InputError(fmt::format(
        "this method works on {} equal parts of each batch, but training.batch_size {} is "
        "not a multiple of that",
        passes, batch.labels.size(0)));
  }

  // Loss of one pass, as its share of the step's mean.
  torch::Tensor forward(const torch::Tensor& images, const torch::Tensor& labels, int passes) {
    torch::Tensor logits;
    {
      const Autocast autocast(context_.recipe().precision, context_.device());
      logits = context_.network().forward(images).to(torch::kFloat32);
    }
    const torch::Tensor loss = loss_of(logits, images, labels) / passes;
    narrator_.add_pass(loss.detach(), passes, logits, labels);
    return loss;
  }

  // Cross-entropy with the labels, and the divergence from the teacher's answers.
  torch::Tensor loss_of(const torch::Tensor& logits, const torch::Tensor& images,
                        const torch::Tensor& labels) {
    const Recipe& recipe = context_.recipe();
    const torch::Tensor loss = torch::cross_entropy_loss(
        logits, labels, {}, at::Reduction::Mean, /*ignore_index=*/-100, recipe.label_smoothing);
    if (recipe.distillation == 0) return loss;
    const torch::Tensor divergence =
        distillation_loss(logits, context_.teacher_logits(images), recipe.distillation_temperature);
    return (1 - recipe.distillation) * loss + recipe.distillation * divergence;
  }

  // The factor on every learning rate.
  double factor_at(int64_t step) const {
    const Stretch& stretch = stretch_at(stretches_, step);
    return learning_rate_factor(context_.recipe(), step - stretch.schedule_begin,
                                stretch.schedule_steps);
  }

  const Stretch& enter_stretch() {
    const Stretch& stretch = stretch_at(stretches_, state_.step);
    if (state_.step == stretch.begin) {
      if (stretch.phase.restart_from_checkpoint) {
        context_.restore_starting_weights();
        optimizers_.restart();
        context_.oscillations().restart();
      }
      average_.restart();
      call_hook("begin_phase", [&] { method_.begin_phase(context_, stretch.phase); });
    }
    return stretch;
  }

  void set_training_mode() {
    context_.network().train();
    if (state_.step >= context_.recipe().freeze_batch_norm_at)
      freeze_batch_norm(context_.network());
  }

  // Points of the curves at their steps, and progress regularly.
  void tell() {
    const Recipe& recipe = context_.recipe();
    const int64_t every = std::max<int64_t>(1, recipe.steps / kCurvePoints);
    if (state_.step % every == 0 || state_.step == recipe.steps)
      narrator_.tell_training(recipe.learning_rate * factor_at(state_.step - 1));
    if (recipe.validate_every > 0 && state_.step % recipe.validate_every == 0) validate();
    if (narrator_.seconds_since_progress() > kProgressSeconds || state_.step == recipe.steps)
      narrator_.progress("train");
  }

  // The weights of a diverged run are not a result, and no start for another one.
  void expect_finite_weights() {
    const std::string faults = non_finite_in(state_of(context_.network()));
    if (faults.empty()) return;
    throw diverged(observer_, state_.step, "weights", std::nan(""),
                   fmt::format("after the last step, {}, {}", state_.step, faults));
  }

  void validate() {
    average_.swap();
    context_.network().eval();
    const Evaluation result = evaluate_split(context_.network(), context_.data(),
                                             Split::kValidation, 250, context_.device());
    average_.swap();
    set_training_mode();
    observer_.on_event(
        Metrics{state_.step, "validation", {{"loss", result.loss}, {"top1", result.top1}}});
  }

  void checkpoint() {
    const auto begun = Clock::now();
    narrator_.add_passes();
    state_.seconds = seconds_before_ + seconds_since(begun_);
    write_checkpoint(checkpoint_file(), context_, optimizers_, average_, state_);
    remove_earlier_checkpoint();
    checkpointed_ = Clock::now();
    checkpoint_cost_ = seconds_since(begun);
  }

  void finish() {
    call_hook("finish", [&] { method_.finish(context_); });
    average_.swap();
    reestimate();
    expect_finite_weights();
    narrator_.progress("evaluate");
    if (state_.loss_scale.skipped_steps > 0) {
      observer_.on_event(
          Note{"info",
               fmt::format("{} of {} steps were skipped, because gradients in float16 were not "
                           "finite; the loss scale ended at {:g}",
                           state_.loss_scale.skipped_steps, state_.step, state_.loss_scale.value)});
    }
    Finished finished;
    account_bits(context_, attempt_.job.guarantees_budget, finished);
    finished.results = final_results(context_);
    narrator_.tell_damaged();
    finished.weight_bytes = weight_bytes(context_.network());
    leave_artifacts(context_, attempt_.folder);
    finished.steps = state_.step;
    finished.train_seconds = state_.train_seconds;
    finished.reallocation_seconds = context_.reallocation_seconds();
    finished.peak_memory_bytes = peak_memory_bytes();
    finished.seconds = seconds_before_ + seconds_since(begun_);
    observer_.on_event(std::move(finished));
    std::filesystem::remove(checkpoint_file());
    remove_earlier_checkpoint();
  }

  // The checkpoint from which the run continued is not needed after the run has its own, or a result.
  void remove_earlier_checkpoint() const {
    std::error_code ignored;
    if (!attempt_.resume_from.empty() && attempt_.resume_from != checkpoint_file())
      std::filesystem::remove(attempt_.resume_from, ignored);
  }

  void reestimate() {
    const int64_t batches = context_.recipe().reestimate_batches;
    if (batches == 0) return;
    narrator_.progress("re-estimate batch norm");
    const auto images = context_.train_stream("batch norm", context_.recipe().batch_size);
    reestimate_batch_norm(context_.network(), [&] {
      Batch batch;
      for (int64_t i = 0; i < batches && images->next(batch); ++i) {
        context_.network().forward(on_device(batch, context_.device()).images);
      }
    });
  }

  std::filesystem::path checkpoint_file() const {
    return std::filesystem::path(attempt_.folder) / "checkpoint";
  }

  const Attempt& attempt_;
  TrainingObserver& observer_;
  const std::atomic<bool>& stop_;
  const Clock::time_point begun_ = Clock::now();
  RunContext context_;
  Method& method_;
  std::vector<Stretch> stretches_;
  Optimizers optimizers_;
  WeightAverage average_;
  const bool is_scaled_ = context_.recipe().precision == Precision::kFloat16;
  RunState state_;
  TrainingNarrator narrator_{context_, observer_, state_};
  double seconds_before_ = 0;
  double checkpoint_cost_ = 0;
  Clock::time_point checkpointed_;
};

}  // namespace

void register_everything(Registries& registries) {
  register_networks(registries.networks);
  register_data_sets(registries.data_sets);
  register_methods(registries.methods);
}

RunOutcome run_attempt(const Attempt& attempt, const Registries& registries,
                       TrainingObserver& observer, const std::atomic<bool>& stop) {
  reset_peak_memory();
  if (attempt.resume_from.empty()) {
    observer.on_start(0);
    return TrainingRun(attempt, registries, observer, stop).run();
  }
  try {
    observer.on_start(checkpoint_step(attempt.resume_from));
  } catch (const InputError& error) {
    Attempt from_the_start = attempt;
    from_the_start.resume_from.clear();
    observer.on_start(0);
    observer.on_event(
        Note{"warning", std::string(error.what()) + "; the job starts from its beginning"});
    return TrainingRun(from_the_start, registries, observer, stop).run();
  }
  return TrainingRun(attempt, registries, observer, stop).run();
}

}  // namespace qbitopt
