#pragma once

#include <string>
#include <vector>

#include "qbitopt/runlog/reader.h"

namespace qbitopt {

// What is to be deleted from a database: sweeps by name, jobs by key.
struct Removal {
  std::vector<std::string> sweeps;
  std::vector<std::string> jobs;
  std::vector<std::string> folders;  // absolute, of the jobs' attempts
};

// Sweeps with the jobs that belong to nothing else: to no other sweep, and needed by no job that
// stays; and jobs by key. Throws InputError if a job is running, or a job that stays needs a job of
// `keys`.
Removal plan_removal(const Reader& reader, const std::vector<std::string>& sweeps,
                     const std::vector<std::string>& keys);

}  // namespace qbitopt
