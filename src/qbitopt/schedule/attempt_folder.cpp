#include "qbitopt/schedule/attempt_folder.h"

#include <cerrno>
#include <fstream>
#include <string>
#include <system_error>
#include <utility>

#include "qbitopt/core/hash.h"

namespace qbitopt {
namespace {

namespace fs = std::filesystem;

bool is_another_job(const fs::path& folder, const std::string& key) {
  std::ifstream stream(folder / "job.json");
  const Json json = Json::parse(stream, nullptr, /*allow_exceptions=*/false);
  return json.is_object() && json.contains("job") && json["job"].value("key", key) != key;
}

fs::path free_name(const fs::path& folder) {
  fs::path name = folder;
  do name += ".old";
  while (fs::exists(name));
  return name;
}

}  // namespace

Attempt plan_attempt(const fs::path& runs, Job job, int number) {
  fs::path folder = runs / short_key(job.key) / std::to_string(number);
  if (is_another_job(runs / short_key(job.key) / "1", job.key)) {
    folder = runs / job.key / std::to_string(number);
  }
  Attempt attempt;
  attempt.job = std::move(job);
  attempt.number = number;
  attempt.folder = folder.string();
  return attempt;
}

void make_folder(const Attempt& attempt) {
  const fs::path folder = attempt.folder;
  if (!fs::create_directories(folder)) {
    fs::rename(folder, free_name(folder));
    fs::create_directory(folder);
  }
  const fs::path file = folder / "job.json";
  std::ofstream stream(file);
  stream << Json(attempt).dump(2) << "\n";
  stream.close();
  if (!stream) throw std::system_error(errno, std::generic_category(), file.string());
}

void close_folder(const Attempt& attempt) {
  std::ofstream(fs::path(attempt.folder) / "over");  // if it cannot be made, time is lost, no more
}

void drop_checkpoint(const Attempt& attempt) {
  std::error_code ignored;  // no checkpoint
  fs::remove(fs::path(attempt.folder) / "checkpoint", ignored);
}

fs::path newest_checkpoint(const Attempt& attempt) {
  const fs::path all = fs::path(attempt.folder).parent_path();
  for (int number = attempt.number - 1; number > 0; --number) {
    const fs::path checkpoint = all / std::to_string(number) / "checkpoint";
    if (fs::exists(checkpoint)) return checkpoint;
  }
  return {};
}

}  // namespace qbitopt
