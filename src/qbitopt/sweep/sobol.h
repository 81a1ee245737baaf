#pragma once

#include <cstdint>

namespace qbitopt {

// Sobol's sequence with the direction numbers of Joe and Kuo ("Constructing Sobol sequences with
// better two-dimensional projections", SIAM J. Sci. Comput. 30, 2008; new-joe-kuo-6.21201), in the
// order of Gray codes. The first 2^k points are a net: each of 2^k equal intervals of every
// coordinate holds one of them.
inline constexpr int kSobolDimensions = 16;

// Coordinate `dimension` (from 0) of point `index` (from 0; that one is the origin), as a fraction
// of 2^32.
uint32_t sobol(int dimension, uint32_t index);

}  // namespace qbitopt
