#include "qbitopt/plugin/plugin.h"

#include "nipq.h"

QBITOPT_PLUGIN(registries) {
  registries.methods.add("nipq", [](const qbitopt::Parameters& parameters) {
    return std::make_unique<qbitopt::nipq::Nipq>(parameters);
  });
}
