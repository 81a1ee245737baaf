#pragma once

#include <filesystem>
#include <optional>

#include "app/command_line.h"
#include "qbitopt/config/catalog.h"

namespace qbitopt::app {

enum class Plugins {
  kAll,
  kInstalledOnly  // only those in lib/qbitopt/baselines; a sweep that names others is refused
};

// Every part that a sweep can name: the built-in ones, and plugins that `sweep` names, in the
// folders of QBITOPT_PLUGIN_PATH (separated by ':'), and in lib/qbitopt/baselines beside this
// program's folder. If several plugins have one file name, the first place wins: a method under
// development overrides its installed copy. Throws InputError, see plugins.h.
Catalog known_parts(const std::optional<std::filesystem::path>& sweep = std::nullopt,
                    Plugins plugins = Plugins::kAll);

// --no-plugins, for verbs that run or plan a sweep.
void add_plugin_option(CommandLine& line);
Plugins plugins_of(const CommandLine& line);

}  // namespace qbitopt::app
