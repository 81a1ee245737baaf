#pragma once

// Internal to the run log: what kind of file a path names, and opening it.

#include <filesystem>
#include <memory>

#include "qbitopt/runlog/connection.h"
#include "qbitopt/runlog/database.h"

namespace qbitopt {

// "QBOP": what `file` and SQLite tell of a database of this program.
inline constexpr int kApplicationId = 0x51424f50;

// What the first 100 bytes of a file say, read without SQLite, so that a refused file stays
// untouched.
struct FileHeader {
  bool exists = false;
  bool is_empty = false;  // missing or without a byte
  bool is_sqlite = false;
  int application_id = 0;
  int user_version = 0;
};
FileHeader read_header(const std::filesystem::path& file);

// Throws DatabaseError unless the file is empty or one of ours, of at most our version.
void refuse_foreign(const std::filesystem::path& file, const FileHeader& header);

// True on NFS, SMB, FUSE and the like, where shared memory and locks are not to be trusted.
bool is_on_network(const std::filesystem::path& file);

// A connection for the one writer: pragmas set, schema created or migrated, journal as asked.
std::shared_ptr<Connection> open_for_writing(const std::filesystem::path& file, Journal journal,
                                             Patience patience = nullptr);

// Who has locked the file, as far as the kernel tells: "process 123 (sqlitebrowser)", else "another
// program".
std::string holder_of_lock(const std::filesystem::path& file);

// [bytes] of one value that a reader sees; also bounds how long one call of a function takes.
inline constexpr int kLargestValue = 100'000'000;

// Under which SQLite opens the file without writing to it: `immutable` where the folder is
// read-only and neither a log nor a journal lies beside the file.
std::string reading_uri(const std::filesystem::path& file);

// A connection that cannot write. What a killed program left half written is taken back before, if
// we may write to the folder.
std::shared_ptr<Connection> open_for_reading(const std::filesystem::path& file);

// Empties the write-ahead log and makes the file one plain file again; other readers may put that
// off.
void come_to_rest(Connection& connection);

}  // namespace qbitopt
