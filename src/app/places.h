#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "qbitopt/runlog/reader.h"

namespace qbitopt::app {

// Folder of the attempts' files, absolute: results/qbitopt.db -> .../results/qbitopt.runs.
std::filesystem::path runs_folder(const std::filesystem::path& database);

// The worker program: QBITOPT_WORKER, or qbitopt-worker beside this program.
std::filesystem::path worker_program();

// A sweep file by its path, or by its name: "quick" is sweeps/quick.yaml, below the working folder
// or shipped with the program. Throws InputError.
std::filesystem::path find_sweep(const std::string& word);

inline constexpr const char* kStandardOutput = "/dev/stdout";

// Before much is computed for it: throws InputError if `output` is a folder.
void check_output(const std::filesystem::path& output);

// Writes a file that was asked for, see OutputFile; makes its folder if need be.
void write_output(const std::filesystem::path& output, std::string_view text);

// What a verb says on standard output when it has written a file: its name; nothing if that is
// standard output itself.
std::string written(const std::filesystem::path& output);

// Throws InputError if a sweep is named that the database does not have.
void check_sweep(const Reader& reader, const std::optional<std::string>& sweep);

// Named queries: results/queries.
std::filesystem::path queries_folder();

// Published numbers: results/published.csv.
std::filesystem::path published_file();

// What is remembered beside the database of the fingerprints of data files.
std::filesystem::path fingerprint_cache(const std::filesystem::path& database);

}  // namespace qbitopt::app
