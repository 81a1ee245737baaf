#include "qbitopt/plugin/loader.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>

#include "qbitopt/core/error.h"
#include "qbitopt/plugin/plugin.h"
#include "qbitopt/plugin/stamp.h"

namespace qbitopt {
namespace {

[[noreturn]] void refuse(const std::string& file, const std::string& why) {
  throw JobError("plugin", "plugin " + file + ": " + why);
}

// Never closed: methods made by it may live as long as the process.
const PluginEntry& open_plugin(const std::string& file) {
  void* library = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) refuse(file, fmt::format("it cannot be loaded: {}", ::dlerror()));
  using Entry = const PluginEntry* (*)();
  const auto entry = reinterpret_cast<Entry>(::dlsym(library, "qbitopt_plugin"));
  if (entry == nullptr || entry()->api_version != kPluginApi) {
    refuse(file, "it has no entry of this qbitopt; does it say QBITOPT_PLUGIN(registries) {...}?");
  }
  return *entry();
}

}  // namespace

void load_plugin(const std::string& file, const std::string& method, MethodRegistry& methods) {
  const std::string stamp = read_stamp(file);
  if (stamp.empty()) {
    refuse(file,
           "it is no plugin of qbitopt, as it has no stamp; build it with qbitopt_add_baseline() "
           "and QBITOPT_PLUGIN(registries) {...}");
  }
  const std::string trouble = stamp_trouble(stamp, own_stamp());
  if (!trouble.empty()) refuse(file, trouble);

  const PluginEntry& entry = open_plugin(file);
  const std::vector<std::string> before = methods.names();
  PluginRegistries registries{methods};
  try {
    entry.register_parts(registries);
  } catch (const std::exception& error) {
    refuse(file, error.what());
  }
  std::vector<std::string> added;
  const std::vector<std::string> after = methods.names();
  std::set_difference(after.begin(), after.end(), before.begin(), before.end(),
                      std::back_inserter(added));
  if (added != std::vector{method}) {
    refuse(file,
           fmt::format("its manifest says that it brings the method '{}', but its code "
                       "registers {}; the name must be the same in both",
                       method,
                       added.empty() ? "none" : fmt::format("'{}'", fmt::join(added, "', '"))));
  }
}

}  // namespace qbitopt
