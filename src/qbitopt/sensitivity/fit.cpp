#include "qbitopt/sensitivity/fit.h"

#include <algorithm>

#include "qbitopt/core/error.h"
#include "qbitopt/core/names.h"
#include "qbitopt/sensitivity/uniform_quantizers.h"

namespace qbitopt {
namespace {

using torch::Tensor;

// Values of each tensor that measure its quantisation error.
constexpr int64_t kNoiseSample = 1 << 13;

// 1/2 F times the noise of one element at `bits`.
double phi(const UniformQuantizer& quantizer, int bits, FitNoise noise) {
  const Grid grid = quantizer.grid_at(bits);
  const std::vector<double> trace = quantizer.fisher()->trace();
  const Tensor range = quantizer.range().detach().to(torch::kCPU, torch::kFloat64);
  double sum = 0;
  for (size_t c = 0; c < trace.size(); ++c) {
    const double r = range[static_cast<int64_t>(c)].item<double>();
    const double delta = grid.step(r);
    const double variance =
        noise == FitNoise::kUniform
            ? delta * delta / 12
            : mean_squared_error(quantizer.sample()[static_cast<int64_t>(c)], r, grid);
    sum += std::max(trace[c], 0.0) * variance / 2;  // an unbiased estimate may be negative
  }
  return sum;
}

CostTable table(const std::vector<std::shared_ptr<UniformQuantizer>>& quantizers, FitNoise noise) {
  CostTable table;
  for (const auto& quantizer : quantizers) {
    if (quantizer->fisher()->steps() == 0) {
      const int64_t skipped = quantizer->fisher()->skipped();
      throw JobError("non_finite", "sensitivity 'fit': no gradient reached quantiser '" +
                                       quantizer->spec().name +
                                       (skipped ? "' that was finite in a whole step (" +
                                                      std::to_string(skipped) + " entries were not)"
                                                : "'"));
    }
    std::vector<double>& row = table.costs.emplace_back();
    for (const int bits : quantizer->spec().candidate_bits) {
      row.push_back(phi(*quantizer, bits, noise));
    }
  }
  return table;
}

}  // namespace

FitOptions FitOptions::from(const Parameters& parameters) {
  FitOptions options;
  const double tau = parameters.get_or("reallocation.tau", 250.0);
  options.decay = parameters.get_or("fit.decay", std::max(0.0, 1 - 2.5 / tau));
  const auto weights = parameters.get_or<std::string>("fit.weights", "batch");
  const auto noise = parameters.get_or<std::string>("fit.noise", "uniform");
  if (weights == "split") {
    options.weights = FisherWeights::kSplit;
  } else if (weights != "batch") {
    throw InputError(unknown_name("fit.weights", weights, {"batch", "split"}));
  }
  if (noise == "measured") {
    options.noise = FitNoise::kMeasured;
  } else if (noise != "uniform") {
    throw InputError(unknown_name("fit.noise", noise, {"measured", "uniform"}));
  }
  return options;
}

void Fit::start(const std::vector<QuantizerPtr>& quantizers) {
  for (const auto& quantizer : uniform_quantizers("fit", quantizers)) {
    quantizer->track_fisher(true);
    quantizer->fisher()->set_decay(options_.decay);
    if (quantizer->spec().kind == TensorKind::kWeight) {
      quantizer->fisher()->set_weights(options_.weights);
    }
    quantizer->keep_sample(options_.noise == FitNoise::kMeasured ? kNoiseSample : 0);
  }
}

void Fit::observe_step(const std::vector<QuantizerPtr>& quantizers, int64_t samples,
                       double loss_scale) {
  for (const auto& quantizer : uniform_quantizers("fit", quantizers)) {
    quantizer->fisher()->end_step(samples, loss_scale);
  }
}

CostTable Fit::estimate(SensitivityContext& context) {
  const auto quantizers = uniform_quantizers("fit", context.quantizers);
  std::vector<bool> were_tracked;
  for (const auto& quantizer : quantizers) were_tracked.push_back(quantizer->fisher() != nullptr);
  start(context.quantizers);
  std::vector<Tensor> ranges, states;
  for (const auto& quantizer : quantizers) {
    ranges.push_back(quantizer->range());
    states.push_back(quantizer->fisher()->state().clone());
    quantizer->fisher()->reset();
  }

  int64_t done = 0;
  for (const auto& [images, labels] : context.batches()) {
    const int64_t part = images.size(0) / backward_passes_per_step();
    const int64_t samples = part * backward_passes_per_step();
    for (int64_t from = 0; from < samples; from += part) {
      const Tensor logits = context.forward(images.slice(0, from, from + part));
      const Tensor loss = torch::cross_entropy_loss(logits, labels.slice(0, from, from + part)) *
                          (static_cast<double>(part) / static_cast<double>(samples));
      // Gradients of ranges reach every quantiser and leave .grad of the parameters alone.
      torch::autograd::grad({loss}, ranges, {}, /*retain_graph=*/false, /*create_graph=*/false,
                            /*allow_unused=*/true);
    }
    // A decay of i / (i + 1) makes the average the plain mean.
    const double mean_decay = static_cast<double>(done) / static_cast<double>(done + 1);
    for (const auto& quantizer : quantizers) {
      quantizer->fisher()->set_decay(mean_decay);
      quantizer->fisher()->end_step(samples);
    }
    ++done;
  }

  CostTable result = table(quantizers, options_.noise);
  for (size_t i = 0; i < quantizers.size(); ++i) {
    quantizers[i]->fisher()->set_decay(options_.decay);
    quantizers[i]->fisher()->state().copy_(states[i]);
    quantizers[i]->track_fisher(were_tracked[i]);
    if (!were_tracked[i]) quantizers[i]->keep_sample(0);
  }
  return result;
}

CostTable Fit::current(SensitivityContext& context) {
  return table(uniform_quantizers("fit", context.quantizers), options_.noise);
}

}  // namespace qbitopt
