#pragma once

#include "qbitopt/sweep/shape.h"

namespace qbitopt {

// What a worker would refuse, as far as it follows from a job's parameters: told before anything
// trains. Throws InputError at the value that does not fit, else at `place`.
void check_job(const Shape& shape, const Point& point, const Place& place);

// Whether a job of this shape leaves what another one needs: final bits ("allocation") or a network
// with quantizers (need "start_from") come from methods that have them alone.
bool leaves(const Shape& shape, const ShapeNeed& need);

}  // namespace qbitopt
