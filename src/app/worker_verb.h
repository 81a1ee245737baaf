#pragma once

#include <string>
#include <vector>

namespace qbitopt::app {

// Becomes the worker program with these arguments: for verbs that need tensors. Returns only by
// throwing InputError, when the program is not there.
[[noreturn]] void become_worker(std::vector<std::string> arguments);

}  // namespace qbitopt::app
