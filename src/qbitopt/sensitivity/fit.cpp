#include "qbitopt/sensitivity/fit.h"

#include <algorithm>

#include "qbitopt/core/error.h"
#include "qbitopt/core/names.h"
#include "qbitopt/sensitivity/fisher_loan.h"
#include "qbitopt/sensitivity/uniform_quantizers.h"

namespace qbitopt {
namespace {

using torch::Tensor;

// Values of each tensor that measure its quantization error.
constexpr int64_t kNoiseSample = 1 << 13;

// Mean squared rounding error of one element of a channel.
double noise_at(const UniformQuantizer& quantizer, int64_t channel, double range, const Grid& grid,
                FitNoise noise) {
  if (noise == FitNoise::kUniform) return grid.step(range) * grid.step(range) / 12;
  const Tensor sample = quantizer.sample()[channel];
  return mean_squared_error(sample, noise == FitNoise::kOptimal ? mse_range(sample, grid) : range,
                            grid);
}

CostTable table(const UniformQuantizers& quantizers, FitNoise noise) {
  CostTable table;
  int64_t left_out = 0;
  for (const auto& quantizer : quantizers) {
    if (quantizer->fisher()->steps() == 0) {
      const int64_t skipped = quantizer->fisher()->skipped();
      throw JobError(
          "non_finite",
          "sensitivity 'fit': no gradient reached quantizer '" + quantizer->spec().name +
              (skipped ? "' that was finite in a whole step (" + std::to_string(skipped) +
                             " entries were not; in float16 the loss "
                             "scale may still be coming down: a larger "
                             "reallocation.tau, or bf16, helps)"
                       : "'"));
    }
    const std::vector<double> trace = quantizer->fisher()->trace();
    std::vector<double>& row = table.costs.emplace_back();
    for (const int bits : quantizer->spec().candidate_bits) {
      row.push_back(fit_cost(*quantizer, trace, bits, noise));
    }
    left_out += quantizer->fisher()->skipped();
  }
  if (left_out > 0) {
    table.note = std::to_string(left_out) +
                 " entries of gradients were not finite; their steps were left out";
  }
  return table;
}

}  // namespace

FitOptions FitOptions::from(const Parameters& parameters) {
  FitOptions options;
  const double tau = parameters.get_or("reallocation.tau", 250.0);
  options.decay = parameters.get_or("fit.decay", std::max(0.0, 1 - 2.5 / tau));
  options.accumulate = parameters.get_or("training.accumulate", 1);
  const auto weights = parameters.get_or<std::string>("fit.weights", "batch");
  const auto noise = parameters.get_or<std::string>("fit.noise", "uniform");
  if (weights == "split") {
    options.weights = FisherWeights::kSplit;
  } else if (weights != "batch") {
    throw InputError(unknown_name("fit.weights", weights, {"batch", "split"}));
  }
  if (noise == "measured") {
    options.noise = FitNoise::kMeasured;
  } else if (noise == "optimal") {
    options.noise = FitNoise::kOptimal;
  } else if (noise != "uniform") {
    throw InputError(unknown_name("fit.noise", noise, {"measured", "optimal", "uniform"}));
  }
  return options;
}

double fit_cost(const UniformQuantizer& quantizer, const std::vector<double>& trace, int bits,
                FitNoise noise) {
  const Grid grid = quantizer.grid_at(bits);
  const Tensor range = quantizer.range_at(bits).to(torch::kCPU, torch::kFloat64);
  double sum = 0;
  for (size_t c = 0; c < trace.size(); ++c) {
    const auto channel = static_cast<int64_t>(c);
    sum += std::max(trace[c], 0.0) *
           noise_at(quantizer, channel, range[channel].item<double>(), grid, noise) / 2;
  }
  return sum;
}

void Fit::start(const std::vector<QuantizerPtr>& quantizers) {
  is_started_ = true;
  for (const auto& quantizer : uniform_quantizers("fit", quantizers)) {
    quantizer->track_fisher(true);
    quantizer->fisher()->set_decay(options_.decay);
    if (quantizer->spec().kind == TensorKind::kWeight) {
      quantizer->fisher()->set_weights(options_.weights,
                                       std::max(options_.accumulate, backward_passes_per_step()));
    }
    quantizer->keep_sample(options_.noise == FitNoise::kUniform ? 0 : kNoiseSample);
  }
}

void Fit::observe_step(const std::vector<QuantizerPtr>& quantizers, int64_t samples,
                       double loss_scale) {
  for (const auto& quantizer : uniform_quantizers("fit", quantizers)) {
    quantizer->fisher()->end_step(samples, loss_scale);
  }
}

void Fit::forget(const std::vector<QuantizerPtr>& quantizers) {
  for (const auto& quantizer : uniform_quantizers("fit", quantizers)) quantizer->fisher()->reset();
}

CostTable Fit::estimate(SensitivityContext& context) {
  const auto quantizers = uniform_quantizers("fit", context.quantizers);
  FisherLoan loan(quantizers, options_.weights, backward_passes_per_step());
  const bool measures_noise = options_.noise != FitNoise::kUniform;
  if (measures_noise) {
    for (const auto& quantizer : quantizers) quantizer->keep_sample(kNoiseSample);
  }
  for (const auto& [images, labels] : context.batches()) {
    const int64_t part = images.size(0) / backward_passes_per_step();
    if (part == 0) {
      throw InputError(
          "fit.weights: split works on halves of each batch; calibration.batch_size must be 2 or "
          "more");
    }
    const int64_t samples = part * backward_passes_per_step();
    for (int64_t from = 0; from < samples; from += part) {
      const Tensor logits = context.forward(images.slice(0, from, from + part));
      const Tensor loss = torch::cross_entropy_loss(logits, labels.slice(0, from, from + part));
      loan.backward(loss * (static_cast<double>(part) / static_cast<double>(samples)));
    }
    loan.end_step(samples);
  }
  CostTable result = table(quantizers, options_.noise);
  if (measures_noise && !is_started_) {
    for (const auto& quantizer : quantizers) quantizer->keep_sample(0);
  }
  return result;
}

CostTable Fit::current(SensitivityContext& context) {
  return table(uniform_quantizers("fit", context.quantizers), options_.noise);
}

}  // namespace qbitopt
