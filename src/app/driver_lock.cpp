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
#include "qbitopt/runlog/database_file.h"
#include "qbitopt/runlog/error.h"

namespace qbitopt::app {
namespace {

namespace fs = std::filesystem;

// On a network file system: after which a write of another machine is seen.
constexpr std::chrono::seconds kSettle{2};
constexpr std::chrono::seconds kFresh{60};  // age of a heartbeat whose driver seems to be alive

std::string holder(const Json& about) {
  if (!about.is_object()) return "unknown";
  const double age = static_cast<double>(std::time(nullptr)) - about.value("started", 0.0);
  return fmt::format("process {} on {}, for {}", about.value("pid", 0), about.value("host", "?"),
                     duration(age));
}

std::string holder(const fs::path& lock) {
  std::ifstream stream(lock);
  return holder(Json::parse(stream, nullptr, /*allow_exceptions=*/false));
}

// The lock is beside the file itself, also if the database is named by a link.
fs::path beside(const fs::path& database, const char* suffix) {
  fs::path file = fs::weakly_canonical(database);
  file += suffix;
  return file;
}
fs::path lock_file(const fs::path& database) { return beside(database, ".lock"); }
fs::path heartbeat_file(const fs::path& database) { return beside(database, ".driver"); }

Json about_this_driver() {
  return {{"host", host_name()}, {"pid", ::getpid()}, {"started", std::time(nullptr)}};
}

LockedError in_use(const fs::path& database, const std::string& holder) {
  return LockedError(fmt::format(
      "another driver is using {} ({}); wait until it ends, stop it, or use another --db",
      database.string(), holder));
}

// Needs the kernel lock.
std::unique_ptr<Heartbeat> begin_heartbeat(const fs::path& database) {
  const fs::path file = heartbeat_file(database);
  Heartbeat::Options options;
  if (is_on_network(database)) options.settle = kSettle;
  try {
    auto heartbeat = Heartbeat::take(file, about_this_driver(), options);
    if (!heartbeat) throw in_use(database, holder(Heartbeat::owner(file)));
    return heartbeat;
  } catch (const std::system_error& error) {
    throw DatabaseError(fmt::format("{}: {}; check that you have write access to this folder",
                                    file.string(), error.code().message()));
  }
}

// Whether a driver on another machine has touched its heartbeat lately, as far as the clocks agree.
bool has_driver_elsewhere(const fs::path& database) {
  const fs::path file = heartbeat_file(database);
  if (!Heartbeat::is_elsewhere(file)) return false;
  std::error_code none;
  const auto age = fs::file_time_type::clock::now() - fs::last_write_time(file, none);
  return !none && age < kFresh;
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
  if (!lock) throw in_use(database, holder(file));
  lock->write(about_this_driver().dump() + "\n");
  return std::move(*lock);
}

}  // namespace

DriverLock::DriverLock(const fs::path& database, std::chrono::milliseconds patience)
    : database_(database),
      lock_(acquire(database, patience)),
      heartbeat_(begin_heartbeat(database)) {}

void DriverLock::check() const {
  if (!heartbeat_->is_lost()) return;
  throw LockedError(fmt::format(
      "another driver has taken over {} ({}), because this one stood still for too long; what it "
      "has started is continued there",
      database_.string(), holder(Heartbeat::owner(heartbeat_file(database_)))));
}

bool has_driver(const fs::path& database) {
  const fs::path file = lock_file(database);
  try {
    return FileLock::is_held(file) || has_driver_elsewhere(database);
  } catch (const std::system_error& error) {
    throw DatabaseError(fmt::format("{}: {}; this file shows whether a driver is running",
                                    file.string(), error.code().message()));
  }
}

}  // namespace qbitopt::app
