#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "qbitopt/core/parameters.h"
#include "qbitopt/core/registry.h"
#include "qbitopt/quant/quantizer.h"
#include "qbitopt/quant/torch.h"

namespace qbitopt {

// Expected damage when one quantizer works at some bit-width: what an allocation minimizes the sum
// of. costs[q][i]: of quantizer q at its i-th candidate (spec().candidate_bits), in nats of the
// loss unless `unit` says otherwise; finite. Pinned quantizers have a row as well.
struct CostTable {
  std::vector<std::vector<double>> costs;
  std::string unit = "nats";
  std::string note = {};      // a warning: values left out, a search cut short; empty: none
  std::string accuracy = {};  // how exact the costs are, where the metric knows; else empty
};

// What a metric may use. Lives as long as the call.
struct SensitivityContext {
  const std::vector<QuantizerPtr>& quantizers;  // in the order of the network's sites
  // Logits [batch, classes] of images. The caller sets batch norm's mode, after
  // Sensitivity::uses_running_statistics(); batch norm must not keep what it sees here.
  std::function<torch::Tensor(const torch::Tensor& images)> forward;
  // Images and labels, the same for every metric at one seed.
  std::function<std::vector<std::pair<torch::Tensor, torch::Tensor>>()> batches;
  uint64_t seed = 0;
  int64_t step = 0;  // optimizer steps done
  // Before training: the quantizers already work, with trained ranges that are kept (start_from).
  // False: ranges will be calibrated for the bits that are chosen.
  bool keeps_ranges = false;
};

// Tells which tensors suffer from few bits. Used before training (estimate) and during it
// (observe_step after every backward, then current at each reallocation).
class Sensitivity {
 public:
  virtual ~Sensitivity() = default;

  // Before the first training step: prepare the quantizers for observe_step().
  virtual void start(const std::vector<QuantizerPtr>& quantizers) {}
  // After each step's backward, before gradients are cleared. samples: in the step; loss_scale:
  // what the mean loss over them was multiplied by.
  virtual void observe_step(const std::vector<QuantizerPtr>& quantizers, int64_t samples,
                            double loss_scale = 1) {}
  // The least number of equal parts that a step must run in, each with its share of the loss: 2 for
  // fit with fit.weights: split. training.accumulate may ask for more.
  virtual int backward_passes_per_step() const { return 1; }
  // True: batch norm must normalize with its running statistics (evaluation mode) in estimate() and
  // current(), so that no image's loss depends on another image. False: it works as in the training
  // step at hand.
  virtual bool uses_running_statistics() const { return false; }

  // Forgets what was gathered: the gradients that follow belong to another regime (batch norm has
  // been frozen, weights have been put back).
  virtual void forget(const std::vector<QuantizerPtr>& quantizers) {}

  // From calibration batches alone, at the network's present state. Gradients of parameters are
  // left as they are.
  virtual CostTable estimate(SensitivityContext& context) = 0;
  // From what observe_step() has gathered. Metrics that gather nothing estimate anew.
  virtual CostTable current(SensitivityContext& context) { return estimate(context); }

  // What current() needs beyond the quantizers' buffers, for exact resume.
  virtual void save(torch::serialize::OutputArchive& archive) const {}
  virtual void load(torch::serialize::InputArchive& archive) {}
};

// Makers get the whole job's parameters. Beside the code stands a manifest of the same name.
using SensitivityRegistry = Registry<Sensitivity, const Parameters&>;
// fisher_exact, fit, hessian_eigenvalue, hessian_trace, learned_scale, loss_delta, output_fisher,
// output_kl, quant_mse, random, sqnr, uniform.
void register_sensitivities(SensitivityRegistry& registry);

}  // namespace qbitopt
