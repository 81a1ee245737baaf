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

// Throws InputError if `output` is a folder; called before the output is computed.
void check_output(const std::filesystem::path& output);

// Writes an output file, see OutputFile; creates its folder if necessary.
void write_output(const std::filesystem::path& output, std::string_view text);

// What a verb prints on standard output after it has written a file: the name of the file; empty if
// the file is standard output itself.
std::string written(const std::filesystem::path& output);

// Throws InputError if `sweep` is given and not in the database.
void check_sweep(const Reader& reader, const std::optional<std::string>& sweep);

// Named queries: results/queries.
std::filesystem::path queries_folder();

// Published numbers: results/published.csv.
std::filesystem::path published_file();

// The cache of fingerprints of data files, beside the database.
std::filesystem::path fingerprint_cache(const std::filesystem::path& database);

}  // namespace qbitopt::app
