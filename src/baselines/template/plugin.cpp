#include "qbitopt/plugin/plugin.h"

#include "template.h"

QBITOPT_PLUGIN(registries) {
  registries.methods.add("template", [](const qbitopt::Parameters& parameters) {
    return std::make_unique<qbitopt::template_baseline::Template>(parameters);
  });
}
