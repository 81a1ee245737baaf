#include "qbitopt/plugin/plugin.h"

// The built-in choice of bits before training, with HAWQ-V2's measure and program (see
// manifest.yaml).
QBITOPT_PLUGIN(registries) {
  registries.methods.add("hawq_v2", [](const qbitopt::Parameters& parameters) {
    qbitopt::MethodRegistry built_in("method");
    qbitopt::register_methods(built_in);
    return built_in.make("static_allocation", parameters);
  });
}
