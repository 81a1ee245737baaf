#include "app/driver_lock.h"

#include <fmt/format.h>
#include <unistd.h>

#include <ctime>
#include <fstream>
#include <optional>
#include <system_error>
#include <thread>

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

// The lock is beside the file itself, also if the database is named by a link.
fs::path lock_file(const fs::path& database) {
  fs::path file = fs::weakly_canonical(database);
  file += ".lock";
  return file;
}

FileLock acquire(const fs::path& database, std::chrono::milliseconds patience) {
  if (fs::is_directory(database)) {
    throw DatabaseError(
        fmt::format("{}: a folder, not a database; name a file with --db", database.string()));
  }
  const fs::path file = lock_file(database);
  std::optional<FileLock> lock;
  try {
    if (file.has_parent_path()) fs::create_directories(file.parent_path());
    const auto end = std::chrono::steady_clock::now() + patience;
    while (!(lock = FileLock::try_lock(file)) && std::chrono::steady_clock::now() < end)
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
  } catch (const std::system_error& error) {
    throw DatabaseError(fmt::format("{}: {}; check that you have write access to this folder",
                                    file.string(), error.code().message()));
  }
  if (!lock) {
    throw LockedError(fmt::format(
        "another driver is using {} ({}); wait until it ends, stop it, or use another --db",
        database.string(), holder(file)));
  }
  lock->write(
      Json{{"host", host_name()}, {"pid", ::getpid()}, {"started", std::time(nullptr)}}.dump() +
      "\n");
  return std::move(*lock);
}

}  // namespace

DriverLock::DriverLock(const fs::path& database, std::chrono::milliseconds patience)
    : lock_(acquire(database, patience)) {}

bool has_driver(const fs::path& database) {
  const fs::path file = lock_file(database);
  try {
    return FileLock::is_held(file);
  } catch (const std::system_error& error) {
    throw DatabaseError(fmt::format("{}: {}; this file shows whether a driver is running",
                                    file.string(), error.code().message()));
  }
}

}  // namespace qbitopt::app
