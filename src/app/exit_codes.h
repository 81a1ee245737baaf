#pragma once

namespace qbitopt::app {

// What the command's exit status says.
enum ExitCode : int {
  kGood = 0,           // also: everything was there already
  kInternal = 1,       // a mistake of ours, or the machine has no room left
  kUsage = 2,          // wrong arguments or configuration; nothing was started
  kJobsFailed = 3,     // the sweep ran to its end, with failed jobs
  kInfeasible = 3,     // `solve`: no allocation keeps the budgets
  kDatabase = 4,       // the database cannot be read or written
  kLocked = 5,         // another driver works on this database
  kTableCheck = 6,     // `table --check` found values outside their tolerance
  kInterrupted = 130,  // orderly end after Ctrl-C
  kTerminated = 143,   // orderly end after SIGTERM, SIGHUP or SIGUSR1
};

}  // namespace qbitopt::app
