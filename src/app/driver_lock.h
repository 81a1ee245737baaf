#pragma once

#include <chrono>
#include <filesystem>
#include <stdexcept>

#include "qbitopt/core/file_lock.h"

namespace qbitopt::app {

// Another driver is using the database: exit status 5. The message names it and says what to do.
class LockedError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The right to write to a database: a kernel lock on <database>.lock, which ends with the process
// that holds it. Host, process and time in the file are only for messages.
class DriverLock {
 public:
  // Creates the database's folder if necessary. Waits up to `patience`, because some verbs hold the
  // lock only briefly (`table --output` records the table). Throws LockedError.
  explicit DriverLock(const std::filesystem::path& database,
                      std::chrono::milliseconds patience = std::chrono::seconds(2));

 private:
  FileLock lock_;
};

// Whether a driver is using the database. Does not disturb a driver that is starting.
bool has_driver(const std::filesystem::path& database);

}  // namespace qbitopt::app
