#pragma once

#include <chrono>
#include <filesystem>
#include <stdexcept>

#include "qbitopt/core/file_lock.h"

namespace qbitopt::app {

// Another driver works on the database: exit status 5. The message says who, and what to do.
class LockedError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The right to write a database: a kernel lock on <database>.lock, gone with the process that holds
// it. Host, process and time in the file are for people.
class DriverLock {
 public:
  // Makes the database's folder if need be. Waits for `patience`, because some hold the lock for a
  // moment only (`table --output` records what it made). Throws LockedError.
  explicit DriverLock(const std::filesystem::path& database,
                      std::chrono::milliseconds patience = std::chrono::seconds(2));

 private:
  FileLock lock_;
};

// Does a driver work on the database? Asks without disturbing one that begins.
bool has_driver(const std::filesystem::path& database);

}  // namespace qbitopt::app
