// qbitopt merge: adds the results of another database.
#include "qbitopt/runlog/merge.h"

#include <fmt/format.h>

#include "app/driver_lock.h"
#include "app/exit_codes.h"
#include "app/verbs.h"
#include "qbitopt/core/error.h"
#include "qbitopt/core/hash.h"

namespace po = boost::program_options;

namespace qbitopt::app {
namespace {

namespace fs = std::filesystem;

constexpr size_t kShown = 5;

// Removes what was copied, unless the merge is complete.
class CopiedFolders {
 public:
  ~CopiedFolders() {
    std::error_code ignored;
    for (const fs::path& folder : folders_) fs::remove_all(folder, ignored);
  }

  // Returns whether there was anything to copy.
  bool add(const fs::path& from, fs::path to) {
    if (!fs::is_directory(from)) return false;
    for (fs::path aside = to; fs::exists(to);) {  // left by a deleted database
      aside += ".old";
      if (!fs::exists(aside)) fs::rename(to, aside);
    }
    fs::create_directories(to.parent_path());
    folders_.push_back(to);
    fs::copy(from, to, fs::copy_options::recursive);
    return true;
  }
  void keep() { folders_.clear(); }

 private:
  std::vector<fs::path> folders_;
};

std::string describe(const MergeResult& result) {
  return fmt::format("{} new jobs, {} results, {} attempts, {} new sweeps", result.jobs,
                     result.finished, result.attempts, result.sweeps);
}

void warn_of_differences(const MergeResult& result, Console& console) {
  if (result.differing.empty()) return;
  std::string keys;
  for (size_t i = 0; i < result.differing.size() && i < kShown; ++i)
    keys += (i > 0 ? ", " : "") + short_key(result.differing[i]);
  if (result.differing.size() > kShown) keys += ", ...";
  console.warn(
      fmt::format("{} jobs are finished in both with another top-1, as happens on another "
                  "processor; this database keeps its own: {}",
                  result.differing.size(), keys));
}

}  // namespace

int merge(const Invocation& invocation) {
  CommandLine line(
      "merge OTHER.db [options]",
      "Adds the jobs, results and sweeps of another database, with the files of their "
      "attempts. Jobs are the\nsame if their keys are; a result that this database has "
      "stays.");
  line.options()("dry-run", po::bool_switch(), "only show what would be added");
  line.add_database();
  line.add_positional("other", 1);
  if (!line.parse(invocation)) return kGood;
  if (!line.has("other")) throw UsageError("merge needs the file of another database");
  Console& console = invocation.console;

  const fs::path file = line.database(), other = line.words("other").front();
  if (!fs::exists(other)) throw InputError(fmt::format("{}: no such database", other.string()));
  const DriverLock lock(file), other_lock(other);
  CopiedFolders copied;
  size_t missing = 0;
  const MergeResult result = merge_database(file, other, [&](const MergeResult& plan) {
    if (line.is_on("dry-run")) return false;
    for (const MergeResult::Folder& folder : plan.folders)
      missing += copied.add(folder.from, folder.to) ? 0 : 1;
    return true;
  });
  copied.keep();
  warn_of_differences(result, console);
  if (missing > 0)
    console.warn(
        fmt::format("the files of {} attempts are not there any more; their results were "
                    "added without",
                    missing));
  console.say((line.is_on("dry-run") ? "would add " : "added ") + describe(result));
  return kGood;
}

}  // namespace qbitopt::app
