#pragma once

#include <cstdint>

#include "qbitopt/methods/method.h"
#include "qbitopt/plugin/stamp_text.h"

namespace qbitopt {

// What a plugin may add to.
struct PluginRegistries {
  MethodRegistry& methods;
};

inline constexpr uint32_t kPluginApi = 1;

// What a plugin says about itself. Plugins share C++ types with qbitopt, so both must be built from
// the same headers, with the same LibTorch and compiler. The stamp says which those were; it is
// compared in the file, before that is loaded.
struct PluginEntry {
  uint32_t api_version;  // first for ever
  const char* stamp;
  void (*register_parts)(PluginRegistries&);
};

}  // namespace qbitopt

// Once in a plugin, outside any function: registers the method that the plugin's manifest
// describes.
//
//   QBITOPT_PLUGIN(registries) {
//     registries.methods.add("dq", [](const qbitopt::Parameters& parameters) {
//       return std::make_unique<Dq>(parameters);
//     });
//   }
#define QBITOPT_PLUGIN(registries)                                                                \
  static void qbitopt_register_parts(::qbitopt::PluginRegistries& registries);                    \
  extern "C" __attribute__((visibility("default"))) const ::qbitopt::PluginEntry*                 \
  qbitopt_plugin() {                                                                              \
    static constexpr ::qbitopt::PluginEntry entry = {::qbitopt::kPluginApi, qbitopt_plugin_stamp, \
                                                     &qbitopt_register_parts};                    \
    return &entry;                                                                                \
  }                                                                                               \
  static void qbitopt_register_parts(::qbitopt::PluginRegistries& registries)
