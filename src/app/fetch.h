#pragma once

#include "app/command_line.h"
#include "qbitopt/config/manifest.h"

namespace qbitopt::app {

// The options --fetch, --to and --mirror of `qbitopt models`.
void add_fetch_options(CommandLine& line);

// Downloads the published weights of a model into a folder that `weights.root` can name. Returns an
// ExitCode.
int fetch_weights(const CommandLine& line, const Manifest& model, Console& console);

}  // namespace qbitopt::app
