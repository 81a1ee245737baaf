#pragma once

#include <filesystem>
#include <optional>

#include "qbitopt/sweep/catalog.h"

namespace qbitopt::app {

// Everything that a sweep can name: what is built in, and the plugins in the folders of
// QBITOPT_PLUGIN_PATH (with ':' between them), in lib/qbitopt/baselines beside this program's
// folder, and those that `sweep` names. Throws InputError, see plugins.h.
Catalog known_parts(const std::optional<std::filesystem::path>& sweep = std::nullopt);

}  // namespace qbitopt::app
