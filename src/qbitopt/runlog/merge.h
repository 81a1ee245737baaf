#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace qbitopt {

// What a merge adds, or would add.
struct MergeResult {
  int64_t jobs = 0;      // that the database did not have
  int64_t finished = 0;  // jobs that were not finished here, and are there
  int64_t attempts = 0;
  int64_t sweeps = 0;                  // that the database did not have
  std::vector<std::string> differing;  // keys of jobs that are finished in both, with another top1
  struct Folder {
    std::filesystem::path from, to;  // absolute
  };
  std::vector<Folder> folders;  // of the attempts' files
};

// Adds the jobs, attempts, sweeps, notes and tags of another database. Jobs are the same if their
// keys are. Attempts are added to each job that this database does not have or has not finished; a
// job that is finished here stays as it is. A sweep that both have keeps its order and is followed
// by the jobs that it lacks here. Attempts that are running there are left out.
//
// `commit` is called with what is about to be added, to copy the files; if it returns false or throws,
// nothing is added. Throws InputError if `other` is no database of this version, or is the same file,
// and DatabaseError.
MergeResult merge_database(const std::filesystem::path& file, const std::filesystem::path& other,
                           const std::function<bool(const MergeResult&)>& commit);

}  // namespace qbitopt
