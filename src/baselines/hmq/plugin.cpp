#include "qbitopt/plugin/plugin.h"

#include "hmq.h"

QBITOPT_PLUGIN(registries) {
  registries.methods.add("hmq", [](const qbitopt::Parameters& parameters) {
    return std::make_unique<qbitopt::hmq::Hmq>(parameters);
  });
}
