#include "qbitopt/sensitivity/controls.h"
#include "qbitopt/sensitivity/fisher_exact.h"
#include "qbitopt/sensitivity/fit.h"
#include "qbitopt/sensitivity/hessian_eigenvalue.h"
#include "qbitopt/sensitivity/hessian_trace.h"
#include "qbitopt/sensitivity/learned_scale.h"
#include "qbitopt/sensitivity/loss_delta.h"
#include "qbitopt/sensitivity/output_fisher.h"
#include "qbitopt/sensitivity/output_kl.h"
#include "qbitopt/sensitivity/quant_mse.h"
#include "qbitopt/sensitivity/sensitivity.h"
#include "qbitopt/sensitivity/sqnr.h"

namespace qbitopt {

void register_sensitivities(SensitivityRegistry& registry) {
  registry.add("fisher_exact", [](const Parameters& parameters) {
    const Parameters own = parameters.below("fisher_exact");
    return std::make_unique<FisherExact>(own.get_or("samples", 64), own.get_or("every", 1));
  });
  registry.add("fit", [](const Parameters& parameters) {
    return std::make_unique<Fit>(FitOptions::from(parameters));
  });
  registry.add("hessian_eigenvalue", [](const Parameters& parameters) {
    const Parameters own = parameters.below("hessian_eigenvalue");
    HessianEigenvalueOptions options;
    options.samples = own.get_or("samples", options.samples);
    options.tolerance = own.get_or("tolerance", options.tolerance);
    options.iterations = own.get_or("iterations", options.iterations);
    return std::make_unique<HessianEigenvalue>(options, own.get_or("every", 1));
  });
  registry.add("hessian_trace", [](const Parameters& parameters) {
    const Parameters own = parameters.below("hessian_trace");
    HessianTraceOptions options;
    options.samples = own.get_or("samples", options.samples);
    options.tolerance = own.get_or("tolerance", options.tolerance);
    options.vectors = own.get_or("vectors", options.vectors);
    return std::make_unique<HessianTrace>(options, own.get_or("every", 1));
  });
  registry.add("learned_scale", [](const Parameters& parameters) {
    const Parameters own = parameters.below("learned_scale");
    LearnedScaleOptions options;
    options.samples = own.get_or("samples", options.samples);
    options.steps = own.get_or("steps", options.steps);
    options.learning_rate = own.get_or("learning_rate", options.learning_rate);
    options.weight_factor = own.get_or("weight_factor", options.weight_factor);
    return std::make_unique<LearnedScale>(options, own.get_or("every", 1));
  });
  registry.add("loss_delta", [](const Parameters& parameters) {
    const Parameters own = parameters.below("loss_delta");
    return std::make_unique<LossDelta>(own.get_or("samples", 256), own.get_or("every", 1));
  });
  registry.add("output_fisher", [](const Parameters& parameters) {
    const Parameters own = parameters.below("output_fisher");
    return std::make_unique<OutputFisher>(own.get_or("samples", 128), own.get_or("draws", 4),
                                          own.get_or("every", 1));
  });
  registry.add("output_kl", [](const Parameters& parameters) {
    const Parameters own = parameters.below("output_kl");
    return std::make_unique<OutputKl>(own.get_or("samples", 256), own.get_or("every", 1));
  });
  registry.add("quant_mse", [](const Parameters& parameters) {
    return std::make_unique<QuantMse>(parameters.get_or("quant_mse.every", 1));
  });
  registry.add("random", [](const Parameters& parameters) {
    return std::make_unique<RandomSensitivity>(parameters.get_or("random.decades", 4.0));
  });
  registry.add("sqnr", [](const Parameters& parameters) {
    return std::make_unique<Sqnr>(parameters.get_or("sqnr.every", 1));
  });
  registry.add("uniform", [](const Parameters&) { return std::make_unique<UniformSensitivity>(); });
}

}  // namespace qbitopt
