#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "app/command_line.h"
#include "qbitopt/runlog/database.h"
#include "qbitopt/sweep/plan.h"

namespace qbitopt::app {

// Whether this build's worker has a LibTorch for CUDA.
#ifdef QBITOPT_CUDA
inline constexpr bool kSeesGpus = true;
#else
inline constexpr bool kSeesGpus = false;
#endif

// --jobs, --timeout, --fail-fast: what `run` and `retry` have in common.
void add_execution_options(CommandLine& line);

// The database of `run` and `retry`, whose lock is waited for as long as another program has it.
DatabaseOptions patient_database(Console& console);

// Runs what is not finished of a plan that is on record, shows it, and returns the exit status:
// kGood, kJobsFailed, kInterrupted or kTerminated. `replan`: see SchedulerOptions; the plan grows
// by it. Throws InputError and DatabaseError.
int execute(Plan& plan, const std::filesystem::path& database_file, Database& database,
            const CommandLine& line, Console& console, std::function<Plan()> replan = nullptr);

}  // namespace qbitopt::app
