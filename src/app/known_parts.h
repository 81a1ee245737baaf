#pragma once

#include <filesystem>
#include <optional>

#include "qbitopt/sweep/catalog.h"

namespace qbitopt::app {

// Everything that a sweep can name: what is built in, and the plugins that `sweep` names, in the
// folders of QBITOPT_PLUGIN_PATH (with ':' between them), and in lib/qbitopt/baselines beside this
// program's folder. Of plugins of one file name the first place's is taken: a method at work goes
// before its installed copy. Throws InputError, see plugins.h.
Catalog known_parts(const std::optional<std::filesystem::path>& sweep = std::nullopt);

}  // namespace qbitopt::app
