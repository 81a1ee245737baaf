#include "qbitopt/plugin/plugin.h"

#include "dq.h"

QBITOPT_PLUGIN(registries) {
  registries.methods.add("dq", [](const qbitopt::Parameters& parameters) {
    return std::make_unique<qbitopt::dq::Dq>(parameters);
  });
}
