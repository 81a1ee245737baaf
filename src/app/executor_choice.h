#pragma once

#include <string>

#include "app/command_line.h"
#include "qbitopt/schedule/executors/executor.h"
#include "qbitopt/sweep/plan.h"

namespace qbitopt::app {

// --executor and the options of a cluster's queue.
void add_executor_options(CommandLine& line);

// Where a plan's jobs run, and the settings of that executor: the command line's count more than the
// sweep file's.
struct ExecutorChoice {
  std::string name;
  Json settings;
};
// Throws InputError and UsageError.
ExecutorChoice executor_of(const Plan& plan, const CommandLine& line);

}  // namespace qbitopt::app
