#pragma once

#include <string>
#include <vector>

namespace qbitopt::app {

// Replaces this process by the worker program with these arguments, for verbs that need tensors.
// Returns only by throwing InputError, if the program is missing.
[[noreturn]] void become_worker(std::vector<std::string> arguments);

}  // namespace qbitopt::app
