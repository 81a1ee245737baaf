#pragma once

#include <memory>
#include <string>
#include <vector>

#include "qbitopt/job/job.h"
#include "qbitopt/methods/method.h"
#include "qbitopt/training/oscillations.h"
#include "qbitopt/training/recipe.h"
#include "qbitopt/training/trainer.h"

namespace qbitopt {

// What one run works on: data, network with its quantizers, method, recipe. Made from an attempt.
class RunContext : public MethodContext {
 public:
  // Opens the data, makes the network, loads the starting checkpoint and attaches the method's
  // quantizers. Throws InputError or JobError.
  RunContext(const Attempt& attempt, const Registries& registries, TrainingObserver& observer);

  const Parameters& parameters() const override { return parameters_; }
  Network& network() override { return *network_; }
  const std::vector<QuantizerPtr>& quantizers() const override { return quantizers_; }
  int64_t total_steps() const override { return recipe_.steps; }
  int64_t batch_norm_freeze_step() const override { return recipe_.freeze_batch_norm_at; }
  uint64_t seed() const override { return seed_; }
  const Problem& problem() const override { return problem_; }
  std::string input(const std::string& need) const override;
  std::vector<Batch> calibration_batches() override;
  void calibrate_ranges() override;
  bool starts_quantized() const override { return attempt_.inputs.count("start_from") != 0; }
  void report(EventBody event) override;

  const Recipe& recipe() const { return recipe_; }
  const DataSet& data() const { return *data_; }
  Method& method() { return *method_; }
  torch::Device device() const { return device_; }
  Oscillations& oscillations() { return *oscillations_; }
  // The network's own parameters, without those of quantizers.
  const std::vector<torch::Tensor>& weights() const { return weights_; }
  // Seconds spent choosing bits after the first time, as reported by the method so far.
  double& reallocation_seconds() { return reallocation_seconds_; }
  // What the network says of its quantizers' tensors, in their order.
  std::vector<QuantizerSpec> specs() const;
  // Over the budgets on average bits, else over weights and activations, for the eye; 0 without
  // quantizers.
  double average_bits() const;

  // Puts the weights and batch-norm statistics back that the run starts from: those of the network
  // that start_from hands over, or the fp32 checkpoint's, or for fp32 itself those of the model's
  // file or the published ones below weights.root, if they are given.
  void restore_starting_weights();
  // What the teacher answers, the starting checkpoint or the network teacher.model, without
  // gradients. Only with recipe().distillation > 0.
  torch::Tensor teacher_logits(const torch::Tensor& images);
  // Endless training batches for one purpose, for on_device().
  std::unique_ptr<BatchStream> train_stream(const std::string& purpose, int64_t batch_size,
                                            int64_t first_step = 0) const;

 private:
  void make_teacher(const Registries& registries, const NetworkOptions& options);
  // `model`: the parameter that names it.
  std::unique_ptr<Network> make_network(const std::string& model, const Registries& registries,
                                        const NetworkOptions& options) const;
  void attach_quantizers();
  void take_ranges_and_bits();
  void report_inventory();

  const Attempt& attempt_;
  TrainingObserver& observer_;
  Parameters parameters_;
  uint64_t seed_;
  torch::Device device_;
  std::unique_ptr<DataSet> data_;
  Recipe recipe_;
  std::unique_ptr<Method> method_;
  std::unique_ptr<Network> network_;
  std::unique_ptr<Network> teacher_;  // null without distillation
  std::vector<torch::Tensor> weights_;
  std::vector<QuantizerPtr> quantizers_;
  Problem problem_;
  std::unique_ptr<Oscillations> oscillations_;
  std::vector<Batch> calibration_;
  double reallocation_seconds_ = 0;
};

}  // namespace qbitopt
