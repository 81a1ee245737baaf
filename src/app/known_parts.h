#pragma once

#include <filesystem>
#include <optional>

#include "app/command_line.h"
#include "qbitopt/config/catalog.h"

namespace qbitopt::app {

enum class Plugins {
  kAll,
  kInstalledOnly  // those in lib/qbitopt/baselines alone; a sweep that names others is refused
};

// Everything that a sweep can name: what is built in, and the plugins that `sweep` names, in the
// folders of QBITOPT_PLUGIN_PATH (with ':' between them), and in lib/qbitopt/baselines beside this
// program's folder. Of plugins of one file name the first place's is taken: a method at work goes
// before its installed copy. Throws InputError, see plugins.h.
Catalog known_parts(const std::optional<std::filesystem::path>& sweep = std::nullopt,
                    Plugins plugins = Plugins::kAll);

// --no-plugins, for verbs that run or plan a sweep.
void add_plugin_option(CommandLine& line);
Plugins plugins_of(const CommandLine& line);

}  // namespace qbitopt::app
