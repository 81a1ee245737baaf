#pragma once

#include <memory>
#include <string>
#include <vector>

#include "qbitopt/allocation/problem.h"
#include "qbitopt/core/parameters.h"
#include "qbitopt/core/registry.h"
#include "qbitopt/data/batch_source.h"
#include "qbitopt/job/event.h"
#include "qbitopt/models/network.h"
#include "qbitopt/quant/quantizer.h"
#include "qbitopt/quant/torch.h"

namespace qbitopt {

// A stretch of the training steps. A method that searches, freezes and retrains says so with
// phases; their steps add up to the recipe's total, so that every method gets the same number.
struct Phase {
  std::string name;  // "train", "search", "finetune"
  int64_t steps = 0;
  bool restart_from_checkpoint = false;  // weights go back to the shared starting checkpoint
  bool restart_schedule = false;         // the learning rate's schedule starts anew over this phase
};

// Parameters that a method trains beside weights and ranges (bit-widths, gates), with an optimizer
// of their own. The learning rate is constant unless `follows_schedule`.
struct ExtraParameters {
  std::vector<torch::Tensor> tensors;
  std::string optimizer = "adam";  // "adam" | "sgd"
  double learning_rate = 1e-3;
  double momentum = 0;  // of sgd
  double weight_decay = 0;
  bool follows_schedule = false;  // the rate rises and falls as the weights' does
};

// What a method may see and touch. Lives as long as the training run.
class MethodContext {
 public:
  virtual ~MethodContext() = default;
  virtual const Parameters& parameters() const = 0;  // the whole job's
  virtual Network& network() = 0;
  // In the order of the network's sites, the pinned ones included; empty without quantizers.
  virtual const std::vector<QuantizerPtr>& quantizers() const = 0;
  virtual int64_t total_steps() const = 0;
  // The step from which batch norm uses its running statistics; total_steps(): it never does.
  virtual int64_t batch_norm_freeze_step() const { return total_steps(); }
  virtual uint64_t seed() const = 0;
  // The recipe's budgets over the quantizers, in their order, with every cost 0: fill in costs and
  // solve (see budget_problem.h).
  virtual const Problem& problem() const = 0;
  // Absolute path of the file that satisfies a need of the method's manifest.
  virtual std::string input(const std::string& need) const = 0;
  // `calibration.batches` training batches, the same for every method at one seed.
  virtual std::vector<Batch> calibration_batches() = 0;
  // Runs them through the network to set every range at the present bits. Does nothing if
  // starts_quantized(): the ranges are learned ones.
  virtual void calibrate_ranges() = 0;
  // True if weights, ranges and bits were taken from another job's trained network (need
  // start_from). Bits may then be no candidates, or exceed the budget.
  virtual bool starts_quantized() const { return false; }
  virtual void report(EventBody event) = 0;
};

struct StepState {
  int64_t step = 0;  // optimizer steps done before this one
  const Phase* phase = nullptr;
  const Batch* batch = nullptr;
  torch::Tensor loss;  // of the latest backward pass: its share of the mean loss, and further terms
  // What the loss was multiplied by before its backward, which quantizers have seen; gradients of
  // parameters are divided by it again when after_backward() is called. 1 but in float16.
  double loss_scale = 1;
  // Learning rates of this step as a fraction of their values at the top of the schedule.
  double learning_rate_factor = 1;
};

// Decides how bits are chosen. Data, model, optimizer of the weights, schedule, evaluation, budget
// accounting and logging belong to the harness and are the same for all methods, so that a table
// row differs from another only in its method. Everything has a default; a method overrides what it
// needs. Exceptions fail the job.
class Method {
 public:
  virtual ~Method() = default;

  // False: the network stays fp32 (no quantizer is attached).
  virtual bool quantizes() const { return true; }
  // The quantizer for one tensor. Default: UniformQuantizer with a learned range.
  virtual QuantizerPtr make_quantizer(const QuantizerSpec& spec, const Parameters& parameters);
  virtual std::vector<Phase> phases(int64_t total_steps) const { return {{"train", total_steps}}; }
  virtual std::vector<ExtraParameters> extra_parameters() { return {}; }
  // The least number of equal parts that a step's batch runs in, forward and backward, each with its
  // share of the loss; training.accumulate may ask for more.
  virtual int backward_passes_per_step() const { return 1; }

  // Once, after quantizers are attached: before start() of a fresh run, before load() of a resumed
  // one. Sets up what is not part of the state.
  virtual void prepare(MethodContext& context) {}
  // Once, in a fresh run, with the weights of the starting checkpoint: first ranges and first bits.
  virtual void start(MethodContext& context) {}
  virtual void begin_phase(MethodContext& context, const Phase& phase) {}
  virtual void before_step(MethodContext& context, const StepState& state) {}
  // A scalar to add to the loss, or undefined. Called in every backward pass of a step; with
  // several passes, the mean of their terms is added.
  virtual torch::Tensor loss_term(MethodContext& context, const StepState& state) { return {}; }
  // Gradients are there, the optimizer has not stepped.
  virtual void after_backward(MethodContext& context, const StepState& state) {}
  // The optimizer has stepped; `state.step` still counts the steps before this one.
  virtual void after_step(MethodContext& context, const StepState& state) {}
  // Last step done: every quantizer must now answer bits() with its final integer.
  virtual void finish(MethodContext& context) {}

  // State beyond the network's parameters and buffers, for exact resume.
  virtual void save(torch::serialize::OutputArchive& archive) const {}
  virtual void load(torch::serialize::InputArchive& archive) {}
};

// Beside the code stands a manifest of the same name with the parameters it reads.
using MethodRegistry = Registry<Method, const Parameters&>;
// fixed_precision, fp32, fp32_continued, qbitopt, random_allocation, random_reallocation, replay,
// static_allocation.
void register_methods(MethodRegistry& registry);

}  // namespace qbitopt
