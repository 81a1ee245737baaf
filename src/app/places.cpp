#include "app/places.h"

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "app/text.h"
#include "qbitopt/core/error.h"
#include "qbitopt/core/names.h"
#include "qbitopt/core/output_file.h"
#include "qbitopt/core/shipped_files.h"

namespace qbitopt::app {
namespace {

namespace fs = std::filesystem;

fs::path beside(const fs::path& database, const std::string& suffix) {
  const fs::path absolute = fs::weakly_canonical(fs::absolute(database));
  const bool is_usual = absolute.extension() == ".db";  // so that x.db and x.sqlite stay apart
  return absolute.parent_path() /
         ((is_usual ? absolute.stem() : absolute.filename()).string() + suffix);
}

}  // namespace

fs::path runs_folder(const fs::path& database) { return beside(database, ".runs"); }

fs::path fingerprint_cache(const fs::path& database) {
  return beside(database, ".fingerprints.json");
}

fs::path worker_program() {
  const char* chosen = std::getenv("QBITOPT_WORKER");
  if (chosen != nullptr && *chosen != '\0') return chosen;
  return fs::read_symlink("/proc/self/exe").parent_path() / "qbitopt-worker";
}

void check_output(const fs::path& output) {
  if (fs::is_directory(output)) throw InputError(shown(output) + " is a folder; name a file in it");
}

void write_output(const fs::path& output, std::string_view text) {
  if (output.has_parent_path()) fs::create_directories(output.parent_path());
  OutputFile file(output);
  file.write(text);
  file.commit();
}

std::string written(const fs::path& output) {
  return output == kStandardOutput ? "" : shown(output) + "\n";
}

void check_sweep(const Reader& reader, const std::optional<std::string>& sweep) {
  if (!sweep) return;
  std::vector<std::string> known;
  for (const auto& row : reader.query("SELECT sweep FROM progress ORDER BY sweep").rows)
    known.push_back(row.front());
  if (std::find(known.begin(), known.end(), *sweep) != known.end()) return;
  throw InputError(unknown_name("sweep", *sweep, known) + " (" + reader.file().string() + ")");
}

fs::path queries_folder() { return shipped_file("results/queries"); }

fs::path published_file() { return shipped_file("results/published.csv"); }

fs::path find_sweep(const std::string& word) {
  if (fs::exists(word)) return word;
  const fs::path by_name = shipped_file(fs::path("sweeps") / (word + ".yaml"));
  if (fs::exists(by_name)) return by_name;
  if (word.find_first_of("/.") != std::string::npos) {
    throw InputError("no sweep file " + word);
  }
  throw InputError(unknown_name("sweep", word, shipped_names("sweeps", ".yaml")) +
                   " (sweeps/*.yaml)");
}

}  // namespace qbitopt::app
