#include "qbitopt/plugin/plugin.h"

#include "bayesian_bits.h"

QBITOPT_PLUGIN(registries) {
  registries.methods.add("bayesian_bits", [](const qbitopt::Parameters& parameters) {
    return std::make_unique<qbitopt::bayesian_bits::BayesianBits>(parameters);
  });
}
