#include "qbitopt/plugin/plugin.h"

#include "fracbits.h"

QBITOPT_PLUGIN(registries) {
  registries.methods.add("fracbits", [](const qbitopt::Parameters& parameters) {
    return std::make_unique<qbitopt::fracbits::FracBits>(parameters);
  });
}
