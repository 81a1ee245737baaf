#include "qbitopt/training/run_context.h"

#include <fmt/format.h>

#include <algorithm>

#include "qbitopt/allocation/budget_check.h"
#include "qbitopt/core/random.h"
#include "qbitopt/job/published_weights.h"
#include "qbitopt/methods/budget_problem.h"
#include "qbitopt/models/batch_norm.h"
#include "qbitopt/models/graph_network.h"
#include "qbitopt/models/weights.h"
#include "qbitopt/training/method_hook.h"

namespace qbitopt {
namespace {

torch::Device open_device(const std::string& name) {
  if (name == "cuda" && !torch::cuda::is_available()) {
    throw JobError("device",
                   "device is 'cuda', but LibTorch finds no GPU; use device=cpu, or a LibTorch for "
                   "CUDA (CMAKE_PREFIX_PATH) on a machine with a GPU");
  }
  return torch::Device(name);
}

}  // namespace

RunContext::RunContext(const Attempt& attempt, const Registries& registries,
                       TrainingObserver& observer)
    : attempt_(attempt),
      observer_(observer),
      parameters_(attempt.job.parameters),
      seed_(parameters_.get<uint64_t>("seed")),
      device_(open_device(parameters_.get<std::string>("device"))),
      data_(registries.data_sets.make(parameters_.get<std::string>("data.name"),
                                      parameters_.below("data"))),
      recipe_(Recipe::from(parameters_, data_->size(Split::kTrain))),
      method_(call_hook("its constructor", [&] {
        return registries.methods.make(parameters_.get<std::string>("method"), parameters_);
      })) {
  at::set_num_threads(recipe_.threads);
  at::globalContext().setDeterministicCuDNN(recipe_.deterministic);
  at::globalContext().setBenchmarkCuDNN(!recipe_.deterministic);
  const std::vector<int64_t> shape = data_->image_shape();
  NetworkOptions options;
  options.classes = data_->classes();
  options.image_channels = shape.front();
  options.seed = seed_;
  options.take_quantizers(parameters_);
  options.joined_passes = recipe_.joined_passes;
  network_ = make_network("model", registries, options);
  network_->measure(shape);
  weights_ = network_->parameters();
  restore_starting_weights();
  network_->to(device_);
  network_->train();
  if (recipe_.distillation > 0) make_teacher(registries, options);
  if (call_hook("quantizes", [&] { return method_->quantizes(); })) attach_quantizers();
  oscillations_ = std::make_unique<Oscillations>(OscillationOptions::from(parameters_), *network_,
                                                 recipe_.steps);
}

void RunContext::make_teacher(const Registries& registries, const NetworkOptions& options) {
  const bool is_another = parameters_.has("teacher.model");
  const std::string need = is_another ? "teacher" : "fp32_checkpoint";
  if (!attempt_.inputs.count(need)) {
    throw InputError(
        "distillation needs the checkpoint that a run starts from, but fp32 does not start from "
        "one; set distillation below `training`, not below `pretraining`");
  }
  NetworkOptions plain = options;  // without quantizers, whose names may be another network's
  plain.pinned.clear();
  plain.placement = {};
  teacher_ = make_network(is_another ? "teacher.model" : "model", registries, plain);
  load_state(*teacher_, read_weights(input(need), *teacher_), input(need));
  teacher_->to(device_);
  teacher_->eval();
}

std::unique_ptr<Network> RunContext::make_network(const std::string& model,
                                                  const Registries& registries,
                                                  const NetworkOptions& options) const {
  if (parameters_.has(model + ".file"))
    return read_graph_network(parameters_.get<std::string>(model + ".file"), options);
  return registries.networks.make(parameters_.get<std::string>(model), options);
}

std::string RunContext::input(const std::string& need) const {
  const auto found = attempt_.inputs.find(need);
  if (found == attempt_.inputs.end()) {
    throw InputError(
        fmt::format("the method reads the need '{}', which is not in its manifest", need));
  }
  return found->second;
}

void RunContext::restore_starting_weights() {
  std::string file;
  if (starts_quantized()) {
    file = input("start_from");
  } else if (attempt_.inputs.count("fp32_checkpoint")) {
    file = input("fp32_checkpoint");
  } else if (parameters_.has("weights.root")) {
    file = published_weights(parameters_.get<std::string>("weights.root"),
                             parameters_.get<std::string>("model"))
               .string();
  } else if (parameters_.has("model.file")) {
    const std::string graph = parameters_.get<std::string>("model.file");
    load_state(*network_, state_of(*read_graph_network(graph, network_->options())), graph);
    return;
  } else {
    return;
  }
  StateDict state = read_weights(file, *network_);
  if (starts_quantized())
    std::erase_if(state, [](const auto& entry) { return is_of_quantizer(entry.first); });
  load_state(*network_, state, file);
}

torch::Tensor RunContext::teacher_logits(const torch::Tensor& images) {
  const torch::NoGradGuard no_grad;
  return teacher_->forward(images);
}

void RunContext::attach_quantizers() {
  for (QuantizerSite* site : network_->sites()) {
    QuantizerPtr quantizer = call_hook(
        "make_quantizer", [&] { return method_->make_quantizer(site->spec(), parameters_); });
    if (site->spec().pinned_bits) quantizer->set_bits(*site->spec().pinned_bits);
    site->attach(quantizer);
    quantizer->to(device_);
    quantizers_.push_back(std::move(quantizer));
  }
  if (starts_quantized()) take_ranges_and_bits();
  problem_ = budget_problem(specs(), parameters_);
  report_inventory();
}

// Fisher estimates start anew, because those of the other job belong to its recipe. Pinned bits are
// those of this job.
void RunContext::take_ranges_and_bits() {
  const std::string file = input("start_from");
  const auto is_estimate = [](const std::string& name) { return name.ends_with(".fisher"); };
  StateDict state = read_weights(file, *network_);
  std::erase_if(state, [&](const auto& entry) { return is_estimate(entry.first); });
  for (const auto& [name, tensor] : state_of(*network_)) {
    if (is_estimate(name) || !is_of_quantizer(name) || state.count(name)) continue;
    throw InputError(
        fmt::format("{} contains no '{}'; start_from needs a network that was trained with the "
                    "same kind of quantizers, as by qbitopt, fixed_precision or replay",
                    file, name));
  }
  load_state(*network_, state, file);
  for (const QuantizerPtr& quantizer : quantizers_) {
    if (const auto pinned = quantizer->spec().pinned_bits) quantizer->set_bits(*pinned);
  }
}

void RunContext::report_inventory() {
  Inventory inventory;
  for (const QuantizerPtr& quantizer : quantizers_) {
    const QuantizerSpec& spec = quantizer->spec();
    inventory.quantizers.push_back(
        {spec.name, spec.kind == TensorKind::kWeight ? "weight" : "activation", spec.elements,
         spec.macs, spec.counted, spec.pinned_bits, budget_weight(spec, parameters_)});
  }
  observer_.on_event(std::move(inventory));
}

std::unique_ptr<BatchStream> RunContext::train_stream(const std::string& purpose,
                                                      int64_t batch_size,
                                                      int64_t first_step) const {
  return data_->train({.batch_size = batch_size,
                       .seed = Random(seed_, "images for " + purpose).next(),
                       .first_step = first_step,
                       .transport = transport_to(device_)});
}

std::vector<Batch> RunContext::calibration_batches() {
  if (calibration_.empty()) {
    const auto stream =
        train_stream("calibration", parameters_.get<int64_t>("calibration.batch_size"));
    calibration_.resize(parameters_.get<size_t>("calibration.batches"));
    for (Batch& batch : calibration_) {
      stream->next(batch);
      batch = on_device(batch, device_);
    }
  }
  return calibration_;
}

void RunContext::calibrate_ranges() {
  if (starts_quantized()) return;
  const torch::NoGradGuard no_grad;
  const auto norms = batch_norms(*network_);
  const bool is_frozen =
      network_->is_training() && std::any_of(norms.begin(), norms.end(),
                                             [](const auto* norm) { return !norm->is_training(); });
  network_->eval();
  for (const QuantizerPtr& quantizer : quantizers_) quantizer->begin_calibration();
  for (const Batch& batch : calibration_batches()) network_->forward(batch.images);
  for (const QuantizerPtr& quantizer : quantizers_) quantizer->end_calibration();
  network_->train();
  if (is_frozen) freeze_batch_norm(*network_);
}

void RunContext::report(EventBody event) {
  if (const auto* allocation = std::get_if<Reallocation>(&event);
      allocation && allocation->step > 0) {
    reallocation_seconds_ +=
        allocation->sensitivity_seconds + allocation->solve_microseconds * 1e-6;
  }
  observer_.on_event(std::move(event));
}

std::vector<QuantizerSpec> RunContext::specs() const {
  std::vector<QuantizerSpec> specs;
  for (const QuantizerSite* site : network_->sites()) specs.push_back(site->spec());
  return specs;
}

double RunContext::average_bits() const {
  if (quantizers_.empty()) return 0;
  std::vector<int> bits;
  for (const QuantizerPtr& quantizer : quantizers_) bits.push_back(quantizer->bits());
  std::vector<double> averages;
  for (const BudgetCheck& check : check_budgets(problem_, bits)) {
    if (budget_kind(check.name).is_average()) averages.push_back(check.achieved);
  }
  if (averages.empty()) {
    const std::vector<QuantizerSpec> all = specs();
    for (const char* kind : {"weight", "activation"})
      averages.push_back(budget_use(budget_kind(kind), all, parameters_, bits));
  }
  double sum = 0;
  for (const double average : averages) sum += average;
  return sum / static_cast<double>(averages.size());
}

}  // namespace qbitopt
