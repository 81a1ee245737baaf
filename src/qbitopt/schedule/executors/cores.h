#pragma once

namespace qbitopt {

// Cores that this process may use: its affinity, bounded by the quota of its control group. At
// least 1.
int available_cores();

}  // namespace qbitopt
