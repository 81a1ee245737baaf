#pragma once

#include "qbitopt/sweep/shape.h"

namespace qbitopt {

// Checks the parameters of a job as a worker would, before any job trains. Throws InputError at the
// value that does not fit, or else at `place`.
void check_job(const Shape& shape, const Point& point, const Place& place);

// Whether a job of this shape has the output that another job needs. Final bits ("allocation") and
// quantized networks (need "start_from") come only from methods that quantize.
bool leaves(const Shape& shape, const ShapeNeed& need);

}  // namespace qbitopt
