#pragma once

namespace qbitopt::app {

// Exit status of the command.
enum ExitCode : int {
  kGood = 0,           // also if there was nothing to do
  kInternal = 1,       // an error in the program, or a full disk or memory
  kUsage = 2,          // wrong arguments or configuration; nothing was started
  kJobsFailed = 3,     // the sweep ran to its end, with failed jobs
  kInfeasible = 3,     // `solve`: no allocation keeps the budgets
  kDatabase = 4,       // the database cannot be read or written
  kLocked = 5,         // another driver works on this database
  kTableCheck = 6,     // `table --check` found values outside their tolerance
  kDownload = 7,       // `models --fetch` could not download, or got another file
  kInterrupted = 130,  // stopped in good order after Ctrl-C
  kTerminated = 143,   // stopped in good order after SIGTERM, SIGHUP or SIGUSR1
};

}  // namespace qbitopt::app
