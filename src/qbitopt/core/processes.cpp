#include "qbitopt/core/processes.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <limits>
#include <set>
#include <sstream>

namespace qbitopt {
namespace {

namespace fs = std::filesystem;

// 0: the name is no number.
int pid_named(const std::string& name) {
  int pid = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
  return error == std::errc() && end == name.data() + name.size() ? pid : 0;
}

// By number of the file alone: the device of a lock and that of the file have different names on
// layered file systems.
std::set<std::string> inodes_of(const std::vector<fs::path>& files) {
  std::set<std::string> inodes;
  for (const fs::path& file : files) {
    struct stat status {};
    if (::stat(file.c_str(), &status) == 0) inodes.insert(std::to_string(status.st_ino));
  }
  return inodes;
}

}  // namespace

std::optional<ProcessStatus> process_status(int pid) {
  std::ifstream stream("/proc/" + std::to_string(pid) + "/stat");
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  const size_t open = text.find('('), close = text.rfind(')');  // the name may hold both
  if (open == std::string::npos || close == std::string::npos || close < open) return std::nullopt;
  ProcessStatus status;
  status.name = text.substr(open + 1, close - open - 1);
  std::istringstream fields(text.substr(close + 1));
  const std::vector<std::string> words{std::istream_iterator<std::string>(fields), {}};
  // Fields 3 (state), 14 and 15 (clock ticks in user and kernel mode) and 24 (pages) of proc(5).
  if (words.size() < 13 || words[0] == "Z" || words[0] == "X") return std::nullopt;
  status.is_stopped = words[0] == "T" || words[0] == "t";
  status.cpu_seconds = static_cast<double>(pid_named(words[11]) + pid_named(words[12])) /
                       static_cast<double>(::sysconf(_SC_CLK_TCK));
  constexpr size_t kPages = 21;
  if (words.size() > kPages)
    status.memory_bytes = std::atoll(words[kPages].c_str()) * ::sysconf(_SC_PAGESIZE);
  return status;
}

int64_t free_memory() {
  int64_t free = std::numeric_limits<int64_t>::max();
  std::ifstream machine("/proc/meminfo");
  for (std::string name, unit; machine >> name;) {
    int64_t kilobytes = 0;
    machine >> kilobytes;
    std::getline(machine, unit);
    if (name == "MemAvailable:") free = kilobytes << 10;
  }
  std::ifstream limit("/sys/fs/cgroup/memory.max"), use("/sys/fs/cgroup/memory.current");
  int64_t most = 0, used = 0;
  if (limit >> most && use >> used) free = std::min(free, std::max<int64_t>(0, most - used));
  return free;
}

std::vector<fs::path> open_files(int pid) {
  std::vector<fs::path> files;
  std::error_code gone;
  const fs::path folder = "/proc/" + std::to_string(pid) + "/fd";
  for (fs::directory_iterator entry(folder, gone), end; !gone && entry != end;
       entry.increment(gone)) {
    std::error_code ignored;
    const fs::path file = fs::read_symlink(entry->path(), ignored);
    if (!ignored) files.push_back(file);
  }
  return files;
}

std::vector<int> processes_with_open(const fs::path& file) {
  std::vector<int> pids;
  std::error_code gone;
  const fs::path wanted = fs::weakly_canonical(file, gone);
  for (fs::directory_iterator entry("/proc", gone), end; !gone && entry != end;
       entry.increment(gone)) {
    const int pid = pid_named(entry->path().filename().string());
    if (pid == 0 || pid == ::getpid()) continue;
    const auto files = open_files(pid);
    if (std::find(files.begin(), files.end(), wanted) != files.end()) pids.push_back(pid);
  }
  std::sort(pids.begin(), pids.end());
  return pids;
}

std::vector<int> processes_with_lock(const std::vector<fs::path>& files) {
  const std::set<std::string> inodes = inodes_of(files);
  std::set<int> writers, readers;
  std::ifstream locks("/proc/locks");
  // "1: POSIX  ADVISORY  WRITE 3568 fd:00:2531452 0 EOF"; one that waits for a lock has "->" behind
  // the number.
  for (std::string line; std::getline(locks, line);) {
    std::istringstream fields(line);
    const std::vector<std::string> words{std::istream_iterator<std::string>(fields), {}};
    if (words.size() < 6 || words[1] == "->") continue;
    const int pid = pid_named(words[4]);
    const std::string inode = words[5].substr(words[5].rfind(':') + 1);
    if (pid <= 0 || pid == ::getpid() || inodes.count(inode) == 0) continue;
    (words[3] == "WRITE" ? writers : readers).insert(pid);
  }
  const std::set<int>& holders = writers.empty() ? readers : writers;
  return {holders.begin(), holders.end()};
}

}  // namespace qbitopt
