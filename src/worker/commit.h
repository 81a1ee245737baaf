#pragma once

namespace qbitopt::worker {

// Hash of the commit that this was built from; ends in "-dirty" with changes that were not
// committed; "unknown" outside a checkout.
extern const char* const kCommit;

}  // namespace qbitopt::worker
