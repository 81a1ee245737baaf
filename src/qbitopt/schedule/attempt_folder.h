#pragma once

#include <filesystem>

#include "qbitopt/job/job.h"

namespace qbitopt {

// An attempt whose folder will be <runs>/<first 10 digits of the key>/<number>, or with the full
// key if the 10 digits belong to another job. Does not create the folder.
Attempt plan_attempt(const std::filesystem::path& runs, Job job, int number);

// Creates the attempt's folder, with job.json in it. An existing folder, left by a deleted
// database, is renamed to <number>.old. Throws std::system_error.
void make_folder(const Attempt& attempt);

// Leaves word in the attempt's folder that nobody waits for it any more: a job in a cluster's queue
// that begins after that leaves it alone.
void close_folder(const Attempt& attempt);

// Deletes the attempt's checkpoint: its events are not whole, so that a run that goes on from there
// would lack what came before.
void drop_checkpoint(const Attempt& attempt);

// The newest checkpoint of the attempts before this one; empty if there is none.
std::filesystem::path newest_checkpoint(const Attempt& attempt);

}  // namespace qbitopt
