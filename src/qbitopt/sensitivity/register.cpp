#include "qbitopt/sensitivity/controls.h"
#include "qbitopt/sensitivity/fit.h"
#include "qbitopt/sensitivity/sensitivity.h"

namespace qbitopt {

void register_sensitivities(SensitivityRegistry& registry) {
  registry.add("fit", [](const Parameters& parameters) {
    return std::make_unique<Fit>(FitOptions::from(parameters));
  });
  registry.add("random", [](const Parameters& parameters) {
    return std::make_unique<RandomSensitivity>(parameters.get_or("random.decades", 4.0));
  });
  registry.add("uniform", [](const Parameters&) { return std::make_unique<UniformSensitivity>(); });
}

}  // namespace qbitopt
