#pragma once

// Internal to the run log: identifies and opens database files.

#include <filesystem>
#include <memory>

#include "qbitopt/runlog/connection.h"
#include "qbitopt/runlog/database.h"

namespace qbitopt {

// "QBOP": marks the databases of this program, also for the command `file`.
inline constexpr int kApplicationId = 0x51424f50;

// The first 100 bytes of a file, read without SQLite, so that a refused file is not changed.
struct FileHeader {
  bool exists = false;
  bool is_empty = false;  // missing or without a byte
  bool is_sqlite = false;
  int application_id = 0;
  int user_version = 0;
};
FileHeader read_header(const std::filesystem::path& file);

// Throws DatabaseError unless the file is empty or a database of this program, of at most this
// version.
void refuse_foreign(const std::filesystem::path& file, const FileHeader& header);

// True on NFS, SMB, FUSE and the like, where shared memory and locks are not reliable.
bool is_on_network(const std::filesystem::path& file);

// A connection for the one writer: pragmas set, schema created or migrated, journal as asked.
std::shared_ptr<Connection> open_for_writing(const std::filesystem::path& file, Journal journal,
                                             Patience patience = nullptr);

// The programs that have locked the file: "process 123 (sqlitebrowser)", or "another program" if
// the kernel does not tell.
std::string holder_of_lock(const std::filesystem::path& file);

// [bytes] Limit of one value for a reader, which also limits the time of one function call.
inline constexpr int kLargestValue = 100'000'000;

// The URI with which SQLite opens the file without writing to it: `immutable` where the folder is
// read-only and neither a log nor a journal lies beside the file.
std::string reading_uri(const std::filesystem::path& file);

// A read-only connection. If the folder is writable, an incomplete write of a killed program is
// rolled back first.
std::shared_ptr<Connection> open_for_reading(const std::filesystem::path& file);

// Empties the write-ahead log and leaves one plain file; other readers may delay that.
void come_to_rest(Connection& connection);

}  // namespace qbitopt
