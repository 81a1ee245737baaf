#pragma once

#include <cstdint>

namespace qbitopt {

// Largest resident memory of this process since the last reset, in bytes; 0 where the system does
// not tell.
int64_t peak_memory_bytes();
void reset_peak_memory();

}  // namespace qbitopt
