#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "qbitopt/core/parameters.h"
#include "qbitopt/models/network.h"
#include "qbitopt/quant/torch.h"
#include "qbitopt/quant/uniform_quantizer.h"

namespace qbitopt {

// See oscillations.yaml. `*_start` is the value at the first step, the other that at the last.
struct OscillationOptions {
  bool track = false;
  double dampening = 0;
  double dampening_start = 0;
  double freeze_threshold = 0;  // 0: nothing is frozen
  double freeze_threshold_start = 0.1;
  double momentum = 0.01;
  int max_bits = 4;

  // Reads oscillations.*; absent ones keep the defaults above.
  static OscillationOptions from(const Parameters& parameters);
  bool is_dampening() const { return dampening > 0 || dampening_start > 0; }
  bool is_tracking() const { return track || freeze_threshold > 0; }
};

// Oscillations of weights (Nagel et al., "Overcoming Oscillations in Quantization-Aware Training",
// ICML 2022). With k_t the integers of a weight tensor after step t, m the momentum:
//
//   o_t = 1 where k changes, against the direction of its last change, else 0
//   f_t = m o_t + (1 - m) f_{t-1}                      frequency of oscillation
//   e_t = m k_t + (1 - m) e_{t-1}                      average integer
//   L   = lambda_t * sum (w_hat - clip(w, s n, s p))^2     dampening; w_hat and s held fixed
//
// A weight whose f exceeds the threshold is frozen at round(e): from then on w = s round(e), and s
// learns from it as from a constant integer, dL/ds = round(e) dL/dw_hat. Sums L over all quantized
// weights; watches and freezes those of at most `max_bits` bits.
//
// What was gathered of a tensor holds at one bit-width, as integers mean something else at another
// one: a change of its bits starts it anew, frozen weights included.
//
// Applies to weights that are parameters and have a UniformQuantizer; the others stay as they are.
// Options that are off cost nothing.
class Oscillations {
 public:
  // A weight that turns back more often than this counts as oscillating (the paper's 0.005).
  static constexpr double kFrequency = 0.005;

  // `network` has its quantizers, and outlives this. `total_steps`: what the cosines lead over.
  Oscillations(const OscillationOptions& options, Network& network, int64_t total_steps);

  bool is_tracking() const { return !tracked_.empty(); }

  // Scalar to add to the loss of the step after `steps_done` steps; undefined without dampening.
  torch::Tensor dampening_loss(int64_t steps_done) const;
  // Between backward and the optimizer's step: gives ranges what they learn from frozen weights.
  void before_optimizer_step();
  // After the optimizer's step, and after what the method changes then. `steps_done` counts it.
  void after_step(int64_t steps_done);
  // Weights were replaced: all tensors start anew.
  void restart();

  // "oscillating_weights", and with freezing "frozen_weights": percent of the weights in tensors
  // that are watched at present; empty if none is. Waits for the device.
  std::map<std::string, double> metrics() const;

  void save(torch::serialize::OutputArchive& archive) const;
  void load(torch::serialize::InputArchive& archive);

 private:
  struct Weight {
    torch::Tensor latent;
    std::shared_ptr<UniformQuantizer> quantizer;

    torch::Tensor step_size() const;  // s, as it divides `latent`
    torch::Tensor integers() const;
  };
  struct Tracked {
    Weight weight;
    int bits = 0;             // of what follows; 0: nothing is there
    torch::Tensor integer;    // k, float32 like the others; those of frozen weights stay
    torch::Tensor direction;  // of the last change: -1, 1, or 0 before the first
    torch::Tensor frequency;
    torch::Tensor average;  // e
    torch::Tensor frozen;   // bool
  };

  void start(Tracked& tracked) const;
  void update(Tracked& tracked, double threshold) const;
  bool is_freezing() const { return options_.freeze_threshold > 0; }

  OscillationOptions options_;
  int64_t total_steps_;
  std::vector<Weight> damped_;
  std::vector<Tracked> tracked_;
};

}  // namespace qbitopt
