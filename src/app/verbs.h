#pragma once

#include <string>
#include <vector>

#include "app/command_line.h"

namespace qbitopt::app {

// A word after `qbitopt`. To add one: a file with its function, a line here and one in verbs.cpp.
struct Verb {
  std::string name;
  std::string summary;
  // Returns an ExitCode. Throws UsageError or InputError (exit status 2); anything else is a
  // mistake of ours.
  int (*function)(const Invocation&);
};

// In the order of `qbitopt --help`.
const std::vector<Verb>& verbs();

int help(const Invocation& invocation);

}  // namespace qbitopt::app
