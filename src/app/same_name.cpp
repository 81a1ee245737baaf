#include "app/same_name.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "app/text.h"
#include "qbitopt/core/error.h"
#include "qbitopt/core/text_file.h"
#include "qbitopt/runlog/queries.h"
#include "qbitopt/sweep/document.h"

namespace qbitopt::app {
namespace {

namespace fs = std::filesystem;

// If a project was moved with its database, its relative paths are the same.
fs::path file_of(const SweepRevision& stored, const fs::path& database) {
  const fs::path here = fs::current_path();
  const fs::path home = fs::weakly_canonical(fs::absolute(database)).parent_path();
  const bool is_own_database =
      std::mismatch(here.begin(), here.end(), home.begin(), home.end()).first == here.end();
  return (is_own_database ? here : fs::path(stored.folder)) / stored.file;
}

// Whether a file contains another sweep with the plan's name. `is_given`: the command line named
// it.
bool holds_another(const fs::path& file, const Plan& plan, bool is_given) {
  try {
    const std::string text = read_text(file);
    if (text == plan.text) return false;
    return is_given || name_of({file, text, parse_yaml(file.string(), text)}) == plan.sweep_name;
  } catch (const InputError&) {
    return false;  // no longer a sweep file
  }
}

}  // namespace

std::optional<std::string> clash_of_names(const Reader& reader, const Plan& plan) {
  const auto stored = last_revision(reader, plan.sweep_name);
  if (!stored) return std::nullopt;
  const fs::path file = file_of(*stored, reader.file());
  std::error_code gone;
  if (!fs::exists(file, gone) || fs::equivalent(file, plan.file, gone) || gone) return std::nullopt;
  const bool is_given = std::any_of(stored->overrides.begin(), stored->overrides.end(),
                                    [](const std::string& o) { return o.starts_with("name="); });
  if (!holds_another(file, plan, is_given)) return std::nullopt;
  const size_t lost = difference(stored_keys(reader, plan.sweep_name), plan).orphaned.size();
  if (lost == 0) return std::nullopt;
  return fmt::format(
      "{}: {} already has a sweep '{}' from another file, {}, and {} of its jobs are not in this "
      "one; change `name:` in one of the files, or give this run another name (name=...)",
      plan.file, reader.file().string(), plan.sweep_name, file.lexically_normal().string(), lost);
}

}  // namespace qbitopt::app
