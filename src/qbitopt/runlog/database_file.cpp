#include "qbitopt/runlog/database_file.h"

#include <fmt/format.h>
#include <linux/magic.h>
#include <sqlite3.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <fstream>

#include "qbitopt/core/error.h"
#include "qbitopt/core/processes.h"
#include "qbitopt/runlog/migrations.h"
#include "qbitopt/runlog/schema.h"

namespace qbitopt {
namespace {

namespace fs = std::filesystem;

int big_endian(const unsigned char* bytes) {
  return static_cast<int>(uint32_t{bytes[0]} << 24 | uint32_t{bytes[1]} << 16 |
                          uint32_t{bytes[2]} << 8 | bytes[3]);
}

// The characters that end a path or start an escape in a URI.
std::string as_uri(const fs::path& file, const char* query) {
  std::string uri = "file://";  // an empty authority, so that a path may begin with "//"
  for (const char c : fs::absolute(file).string()) {
    if (std::strchr("%?#", c) != nullptr) {
      uri += fmt::format("%{:02x}", static_cast<unsigned char>(c));
    } else {
      uri += c;
    }
  }
  return uri + query;
}

fs::path beside(const fs::path& file, const char* suffix) { return file.string() + suffix; }

bool has_content(const fs::path& file) {
  std::error_code error;
  const auto size = fs::file_size(file, error);
  return !error && size > 0;
}

// SQLite rolls back an incomplete write of a killed program when a user with write access opens the
// file. This opens it for that purpose, if it is a database of this program or is being created.
void take_back_unfinished_write(const fs::path& file, const FileHeader& header) {
  const bool is_ours = header.application_id == kApplicationId || header.is_empty;
  const bool may_write = ::access(file.c_str(), W_OK) == 0 &&
                         ::access(fs::absolute(file).parent_path().c_str(), W_OK) == 0;
  if (!is_ours || !may_write || !has_content(beside(file, "-journal"))) return;
  translate_errors(file, [&] {
    Connection(as_uri(file, "?mode=rw"), SQLite::OPEN_READWRITE)
        .raw()
        .execAndGet("SELECT count(*) FROM sqlite_master");
  });
}

bool wants_write_ahead(const fs::path& file, Journal journal) {
  if (journal == Journal::kAutomatic) return !is_on_network(file);
  return journal == Journal::kWriteAhead;
}

}  // namespace

FileHeader read_header(const fs::path& file) {
  FileHeader header;
  std::error_code error;
  const fs::file_status status = fs::status(file, error);
  if (error && status.type() != fs::file_type::not_found)
    throw DatabaseError(fmt::format("{}: {}", file.string(), error.message()));
  header.exists = fs::exists(status);
  header.is_empty = true;
  if (!fs::is_regular_file(status)) return header;
  std::array<unsigned char, 100> bytes{};
  std::ifstream input(file, std::ios::binary);
  input.read(reinterpret_cast<char*>(bytes.data()), bytes.size());
  header.is_empty = input.gcount() == 0;
  header.is_sqlite = input.gcount() == static_cast<std::streamsize>(bytes.size()) &&
                     std::memcmp(bytes.data(), "SQLite format 3", 16) == 0;
  if (header.is_sqlite) {
    header.user_version = big_endian(bytes.data() + 60);
    header.application_id = big_endian(bytes.data() + 68);
  }
  return header;
}

void refuse_foreign(const fs::path& file, const FileHeader& header) {
  constexpr const char* kRemedy = "the file was not changed; name another file with --db";
  if (fs::is_directory(file))
    throw DatabaseError(
        fmt::format("{}: a folder, not a database; name a file with --db", file.string()));
  if (header.exists && !fs::is_regular_file(file)) {
    throw DatabaseError(fmt::format("{}: a device or a pipe, not a database; name a file with --db",
                                    file.string()));
  }
  if (header.exists && ::access(file.c_str(), R_OK) != 0) {
    throw DatabaseError(fmt::format("{}: {}", file.string(), std::strerror(errno)));
  }
  if (header.is_empty) return;
  if (!header.is_sqlite) {
    throw DatabaseError(fmt::format("{}: not a SQLite database; {}", file.string(), kRemedy));
  }
  if (header.application_id != kApplicationId) {
    throw DatabaseError(fmt::format(
        "{}: a database of another program (application id {:#010x}, expected {:#010x}); {}",
        file.string(), static_cast<uint32_t>(header.application_id), kApplicationId, kRemedy));
  }
  if (header.user_version > kSchemaVersion) {
    throw DatabaseError(
        fmt::format("{}: written by a newer qbitopt (schema {}, this one knows up to {}); the file "
                    "was not changed; update qbitopt, or "
                    "name another file with --db",
                    file.string(), header.user_version, kSchemaVersion));
  }
}

bool is_on_network(const fs::path& file) {
  struct statfs info {};
  const fs::path folder = fs::absolute(file).parent_path();
  if (::statfs(folder.c_str(), &info) != 0) return false;
  constexpr uint32_t kFuse = 0x65735546, kCifs = 0xff534d42, kSmb2 = 0xfe534d42,
                     kLustre = 0x0bd00bd0, kGpfs = 0x47504653, kCeph = 0x00c36400,
                     kBeeGfs = 0x19830326;
  const auto type = static_cast<uint32_t>(info.f_type);
  for (const uint32_t network :
       {uint32_t{NFS_SUPER_MAGIC}, uint32_t{SMB_SUPER_MAGIC}, uint32_t{AFS_SUPER_MAGIC},
        uint32_t{V9FS_MAGIC}, kFuse, kCifs, kSmb2, kLustre, kGpfs, kCeph, kBeeGfs}) {
    if (type == network) return true;
  }
  return false;
}

std::shared_ptr<Connection> open_for_writing(const fs::path& file, Journal journal,
                                             Patience patience) {
  const FileHeader header = read_header(file);
  refuse_foreign(file, header);
  std::shared_ptr<Connection> connection;
  translate_errors(file, [&] {
    if (file.has_parent_path()) fs::create_directories(file.parent_path());
    connection = std::make_shared<Connection>(
        as_uri(file, ""), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, std::move(patience));
    SQLite::Database& db = connection->raw();
    db.exec("PRAGMA foreign_keys = ON");
    db.exec("PRAGMA synchronous = FULL");
    db.exec("PRAGMA temp_store = MEMORY");  // what a savepoint may have to take back
    // Changes that another program left in the write-ahead log are visible only now.
    const int version = db.execAndGet("PRAGMA user_version").getInt();
    if (version == 0) {
      create_schema(*connection);
    } else {
      migrate(file, *connection, version, migrations(), kSchemaVersion);
    }
    connection->retry_while_locked([&] {
      db.execAndGet(wants_write_ahead(file, journal) ? "PRAGMA journal_mode = WAL"
                                                     : "PRAGMA journal_mode = DELETE");
    });
  });
  return connection;
}

std::string holder_of_lock(const fs::path& file) {
  std::vector<std::string> holders;
  for (const int pid : processes_with_lock({file, beside(file, "-shm")})) {
    const auto process = process_status(pid);
    holders.push_back(fmt::format("process {}", pid));
    if (process) holders.back() += fmt::format(" ({})", process->name);
  }
  return holders.empty() ? "another program" : fmt::to_string(fmt::join(holders, ", "));
}

std::string reading_uri(const fs::path& file) {
  const bool is_sealed = ::access(fs::absolute(file).parent_path().c_str(), W_OK) != 0 &&
                         !has_content(beside(file, "-wal")) &&
                         !has_content(beside(file, "-journal"));
  return as_uri(file, is_sealed ? "?immutable=1" : "?mode=ro");
}

std::shared_ptr<Connection> open_for_reading(const fs::path& file) {
  take_back_unfinished_write(file, read_header(file));
  const FileHeader header = read_header(file);
  if (!header.exists) {
    throw InputError(fmt::format(
        "{}: no such database; `qbitopt run` creates one, and --db names another", file.string()));
  }
  refuse_foreign(file, header);
  if (header.is_empty) {
    throw DatabaseError(fmt::format(
        "{}: an empty file; `qbitopt run` fills it, and --db names another", file.string()));
  }
  if (header.user_version < kSchemaVersion) {
    throw DatabaseError(fmt::format(
        "{}: written by an older qbitopt (schema {}, this one reads {}); run `qbitopt db migrate`",
        file.string(), header.user_version, kSchemaVersion));
  }
  std::shared_ptr<Connection> connection;
  translate_errors(file, [&] {
    connection = std::make_shared<Connection>(reading_uri(file), SQLite::OPEN_READONLY);
    sqlite3_limit(connection->raw().getHandle(), SQLITE_LIMIT_LENGTH, kLargestValue);
    connection->raw().exec("PRAGMA cache_size = -32000");  // kilobytes: a page reads all runs often
    connection->raw().execAndGet("SELECT count(*) FROM sqlite_master");
  });
  return connection;
}

void come_to_rest(Connection& connection) {
  connection.forget_statements();
  SQLite::Database& db = connection.raw();
  // Both fail harmlessly while others read: the log then stays beside the file.
  db.setBusyTimeout(200);
  db.tryExec("PRAGMA wal_checkpoint(TRUNCATE)");
  db.tryExec("PRAGMA journal_mode = DELETE");
  db.tryExec("PRAGMA optimize");
}

}  // namespace qbitopt
