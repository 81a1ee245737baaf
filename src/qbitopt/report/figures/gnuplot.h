#pragma once

#include <string>

namespace qbitopt {

// Whether gnuplot is installed.
bool has_gnuplot();

// Runs a script and returns the file that it draws. Throws InputError if gnuplot is missing, with
// the command that installs it, or if gnuplot fails, with its message.
std::string gnuplot_output(const std::string& script);

}  // namespace qbitopt
