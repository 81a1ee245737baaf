#pragma once

#include <filesystem>

#include "qbitopt/job/job.h"

namespace qbitopt {

// An attempt whose folder, not there yet, is <runs>/<key's first 10 digits>/<number>; the full key
// names it if the 10 digits belong to another job.
Attempt plan_attempt(const std::filesystem::path& runs, const Job& job, int number);

// Makes the attempt's folder, with job.json in it. A folder that is there already, left by a
// database that was deleted, is moved aside to <number>.old. Throws std::system_error.
void make_folder(const Attempt& attempt);

// The newest checkpoint of the attempts before this one; empty if there is none.
std::filesystem::path newest_checkpoint(const Attempt& attempt);

}  // namespace qbitopt
