#include "qbitopt/core/error.h"
#include "qbitopt/methods/allocation_method.h"
#include "qbitopt/methods/fixed_precision.h"
#include "qbitopt/methods/fp32.h"
#include "qbitopt/methods/method.h"
#include "qbitopt/methods/replay.h"
#include "qbitopt/quant/uniform_quantizer.h"

namespace qbitopt {
namespace {

// `sensitivity`: its name; empty: the job says.
std::unique_ptr<Method> make_allocation(const Parameters& parameters, std::string sensitivity,
                                        bool reallocates) {
  if (sensitivity.empty()) sensitivity = parameters.get<std::string>("sensitivity");
  if (parameters.get_or<std::string>("quantizers.range_init", "mse") == "lsq") {
    throw InputError(
        "quantizers.range_init 'lsq' depends on the bits, so it is for methods that do not choose "
        "them; take mse, minmax or percentile");
  }
  SensitivityRegistry sensitivities("sensitivity");
  register_sensitivities(sensitivities);
  SolverRegistry solvers("solver");
  register_solvers(solvers);
  return std::make_unique<AllocationMethod>(
      sensitivities.make(sensitivity, parameters),
      solvers.make(parameters.get<std::string>("solver"), parameters),
      reallocates ? std::optional(ReallocationSchedule::from(parameters)) : std::nullopt,
      parameters.get_or("calibration.sensitivity_bits", 8));
}

}  // namespace

QuantizerPtr Method::make_quantizer(const QuantizerSpec& spec, const Parameters& parameters) {
  return std::make_shared<UniformQuantizer>(spec, UniformQuantizerOptions::from(parameters));
}

void register_methods(MethodRegistry& registry) {
  registry.add("fixed_precision",
               [](const Parameters&) { return std::make_unique<FixedPrecision>(); });
  registry.add("fp32", [](const Parameters&) { return std::make_unique<Fp32>(); });
  registry.add("fp32_continued", [](const Parameters&) { return std::make_unique<Fp32>(); });
  registry.add("qbitopt", [](const Parameters& p) { return make_allocation(p, "", true); });
  registry.add("random_allocation",
               [](const Parameters& p) { return make_allocation(p, "random", false); });
  registry.add("random_reallocation",
               [](const Parameters& p) { return make_allocation(p, "random", true); });
  registry.add("replay", [](const Parameters&) { return std::make_unique<Replay>(); });
  registry.add("static_allocation",
               [](const Parameters& p) { return make_allocation(p, "", false); });
}

}  // namespace qbitopt
