#pragma once

#include <filesystem>

#include "qbitopt/job/job.h"

namespace qbitopt {

// An attempt with an empty folder of its own, <runs>/<key's first 10 digits>/<number>. A folder
// that is there already, left by a database that was deleted, is moved aside to <number>.old; the
// full key names the folder if the 10 digits belong to another job.
Attempt make_attempt(const std::filesystem::path& runs, const Job& job, int number);

// Writes job.json into the attempt's folder.
void write_job_file(const Attempt& attempt);

// The newest checkpoint of the attempts before this one; empty if there is none.
std::filesystem::path newest_checkpoint(const Attempt& attempt);

}  // namespace qbitopt
