#pragma once

#include <string>

namespace qbitopt {

// Whether a `gnuplot` is there to draw.
bool has_gnuplot();

// What a script draws, as the bytes of a file. Throws InputError if there is no gnuplot, with the
// line that installs it, and std::runtime_error with gnuplot's words if it does not like the
// script.
std::string gnuplot_output(const std::string& script);

}  // namespace qbitopt
