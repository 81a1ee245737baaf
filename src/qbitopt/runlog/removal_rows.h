#pragma once

// Internal to the run log.

#include "qbitopt/runlog/connection.h"
#include "qbitopt/runlog/removal.h"

namespace qbitopt {

// Deletes the rows of these jobs and sweeps, in the caller's transaction.
void delete_rows(Connection& connection, const Removal& removal);

}  // namespace qbitopt
