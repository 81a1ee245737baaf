#include "app/driver_lock.h"

#include <fmt/format.h>
#include <unistd.h>

#include <ctime>
#include <fstream>
#include <optional>
#include <system_error>

#include "app/text.h"
#include "qbitopt/core/json.h"
#include "qbitopt/runlog/error.h"

namespace qbitopt::app {
namespace {

namespace fs = std::filesystem;

std::string holder(const fs::path& lock) {
  std::ifstream stream(lock);
  const Json json = Json::parse(stream, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return "unknown";
  const double age = static_cast<double>(std::time(nullptr)) - json.value("started", 0.0);
  return fmt::format("process {} on {}, for {}", json.value("pid", 0), json.value("host", "?"),
                     duration(age));
}

FileLock acquire(const fs::path& database) {
  fs::path file = fs::weakly_canonical(database);  // of the file itself, by whatever name
  file += ".lock";
  std::optional<FileLock> lock;
  try {
    if (file.has_parent_path()) fs::create_directories(file.parent_path());
    lock = FileLock::try_lock(file);
  } catch (const std::system_error& error) {
    throw DatabaseError(fmt::format("{}: {}; check that you may write to this folder",
                                    file.string(), error.code().message()));
  }
  if (!lock) {
    throw LockedError(
        fmt::format("another driver works on {} ({}); wait for it, stop it, or use another --db",
                    database.string(), holder(file)));
  }
  lock->write(
      Json{{"host", host_name()}, {"pid", ::getpid()}, {"started", std::time(nullptr)}}.dump() +
      "\n");
  return std::move(*lock);
}

}  // namespace

DriverLock::DriverLock(const fs::path& database) : lock_(acquire(database)) {}

}  // namespace qbitopt::app
