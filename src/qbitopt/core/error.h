#pragma once

#include <stdexcept>
#include <string>

namespace qbitopt {

// A place in a file that the user wrote. line and column count from 1; 0 is "unknown".
struct Location {
  std::string file;
  int line = 0;
  int column = 0;

  // "sweeps/quick.yaml:14:12", as far as it is known; empty without a file.
  std::string text() const;
};

// Trouble in what the user gave: a file, an argument, data. The message says what was found, what
// was expected and what to do. Programs print it and exit with 2 (job: the job fails, the others go
// on).
class InputError : public std::runtime_error {
 public:
  explicit InputError(const std::string& message) : std::runtime_error(message) {}
  InputError(const Location& where, const std::string& message);
};

// A job that cannot go on. `error_class` groups failures in the database: "budget_exceeded",
// "non_finite", "data", "out_of_memory", "plugin", "method", "internal", ...
class JobError : public std::runtime_error {
 public:
  JobError(std::string error_class, const std::string& message)
      : std::runtime_error(message), error_class_(std::move(error_class)) {}
  const std::string& error_class() const { return error_class_; }

 private:
  std::string error_class_;
};

}  // namespace qbitopt
