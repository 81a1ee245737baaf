#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "app/command_line.h"
#include "app/driver_lock.h"
#include "qbitopt/runlog/database.h"
#include "qbitopt/sweep/plan.h"

namespace qbitopt::app {

// Whether the worker was built with a LibTorch for CUDA.
#ifdef QBITOPT_CUDA
inline constexpr bool kSeesGpus = true;
#else
inline constexpr bool kSeesGpus = false;
#endif

// Adds --jobs, --timeout and --fail-fast, the common options of `run` and `retry`.
void add_execution_options(CommandLine& line);

// Options for the database of `run` and `retry`, which wait as long as another program has locked
// it.
DatabaseOptions patient_database(Console& console);

// Runs the unfinished jobs of a stored plan, shows their progress, and returns the exit status:
// kGood, kJobsFailed, kInterrupted or kTerminated. `replan`: see SchedulerOptions; it adds jobs to
// the plan. `lock`: of the database. Obeys `qbitopt cancel`; the jobs `cancelled` are cancelled before
// any is started. Throws InputError, DatabaseError and LockedError.
int execute(Plan& plan, const std::filesystem::path& database_file, const DriverLock& lock,
            Database& database, const CommandLine& line, Console& console,
            std::function<Plan()> replan = nullptr, std::vector<std::string> cancelled = {});

}  // namespace qbitopt::app
