#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "qbitopt/core/json.h"

namespace qbitopt {

// One submission to a queue: a job, or an array of jobs, each of which works through a list of
// attempts. Its folder <runs>/batches/<name> holds batch.json (this record), script.sh, tasks
// (a line for each attempt: the number of its job in the array, and its folder) and, as the jobs run,
// their output.
struct QueueBatch {
  struct Entry {
    std::string key;     // of the job that is attempted
    std::string folder;  // of the attempt, absolute
  };
  enum class State {
    kNew,        // perhaps submitted: the driver may have died before it heard the queue's answer
    kSubmitted,  // `id` is the queue's
    kRefused,    // the queue said no
  };

  std::string name;  // no other batch has it, so that the queue can be asked for it
  std::filesystem::path folder;
  State state = State::kNew;
  std::string id;
  std::vector<std::vector<Entry>> tasks;
  std::string executor;  // that submits it: "slurm"; empty: not on record
  Json settings;         // of that executor
};

// A name that no other batch has: "qbitopt-" and 12 digits.
std::string new_batch_name();

// Writes script.sh and the lists, then batch.json. Throws std::system_error.
void make_batch(const QueueBatch& batch, const std::string& script);
// batch.json alone, on the disk on return.
void record(const QueueBatch& batch);
// Those below <runs>/batches, in any order; what cannot be read as one is left out.
std::vector<QueueBatch> recorded_batches(const std::filesystem::path& runs);

}  // namespace qbitopt
