#include "qbitopt/plugin/plugin.h"

#include "edmips.h"

QBITOPT_PLUGIN(registries) {
  registries.methods.add("edmips", [](const qbitopt::Parameters& parameters) {
    return std::make_unique<qbitopt::edmips::EdMips>(parameters);
  });
}
