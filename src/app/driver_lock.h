#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <stdexcept>

#include "qbitopt/core/file_lock.h"
#include "qbitopt/core/heartbeat.h"

namespace qbitopt::app {

// Another driver is using the database: exit status 5. The message names it and says what to do.
class LockedError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The right to write to a database: a kernel lock on <database>.lock, which ends with the process
// that holds it, and a heartbeat in <database>.driver for file systems on which other machines do not
// see the lock. Host, process and time in the files are only for messages.
class DriverLock {
 public:
  // Creates the database's folder if necessary. Waits up to `patience`, because some verbs hold the
  // lock only briefly (`table --output` records the table). A driver on another machine that seems
  // to have died is watched for 20 s first. Throws LockedError.
  explicit DriverLock(const std::filesystem::path& database,
                      std::chrono::milliseconds patience = std::chrono::seconds(2));

  // Throws LockedError if a driver on another machine has taken over, because this one stood still
  // for longer than others wait.
  void check() const;

 private:
  std::filesystem::path database_;
  FileLock lock_;
  std::unique_ptr<Heartbeat> heartbeat_;
};

// Whether a driver is using the database. Does not disturb a driver that is starting.
bool has_driver(const std::filesystem::path& database);

}  // namespace qbitopt::app
