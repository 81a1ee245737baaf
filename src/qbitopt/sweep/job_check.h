#pragma once

#include "qbitopt/sweep/shape.h"

namespace qbitopt {

// What a worker would refuse, as far as it follows from a job's parameters: told before anything
// trains. Throws InputError at the value that does not fit, else at `place`.
void check_job(const Shape& shape, const Point& point, const Place& place);

// Whether a job of this shape leaves such a file to those that need it.
bool leaves(const Shape& shape, const std::string& artifact);

}  // namespace qbitopt
