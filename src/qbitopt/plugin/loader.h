#pragma once

#include <string>

#include "qbitopt/methods/method.h"

namespace qbitopt {

// Loads a plugin and adds the method that its manifest describes. The library stays loaded until
// the process ends. Throws JobError "plugin" that names the file if it is not there, is no plugin,
// was built for another qbitopt, LibTorch, compiler or sanitizer (found out before it is loaded),
// cannot be loaded, throws while it registers, or registers anything but `method`.
void load_plugin(const std::string& file, const std::string& method, MethodRegistry& methods);

}  // namespace qbitopt
