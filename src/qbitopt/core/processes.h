#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace qbitopt {

// What Linux tells of this machine's other processes in /proc.

struct ProcessStatus {
  std::string name;          // "python3"
  bool is_stopped = false;   // by SIGSTOP, Ctrl-Z or a debugger
  double cpu_seconds = 0;    // computed so far, all threads together
  int64_t memory_bytes = 0;  // resident
};
// nullopt if there is no such process, or it has ended and its parent has not taken note yet.
std::optional<ProcessStatus> process_status(int pid);

// Bytes that processes may take without swapping: of this machine, within the limit of the control
// group.
int64_t free_memory();

// Files that a process has open, by their paths; empty for a process of another user.
std::vector<std::filesystem::path> open_files(int pid);

// Other processes of this user that have a file open.
std::vector<int> processes_with_open(const std::filesystem::path& file);

// Other processes that hold a lock of one of these files for writing; if there are none, for
// reading.
std::vector<int> processes_with_lock(const std::vector<std::filesystem::path>& files);

}  // namespace qbitopt
