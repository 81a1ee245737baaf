#include "qbitopt/report/table_notes.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "qbitopt/core/hash.h"
#include "qbitopt/report/rows_format.h"

namespace qbitopt {
namespace {

using Show = ColumnDefinition::Show;

// The first digits of a commit, and whether there were uncommitted changes.
std::string version_of(const Run& run) {
  const std::string commit = cell_text(run.column("commit_hash"));
  if (commit.empty()) return "unknown";
  return commit.substr(0, 10) + (commit.ends_with("-dirty") && commit.size() > 10 ? "-dirty" : "");
}

// The rows of a definition that have no run.
void note_missing_rows(const TableDefinition& definition, const RunGroups& groups,
                       Footnotes& notes) {
  std::vector<std::string> missing;
  for (const RowDefinition& row : definition.rows) {
    const bool has_runs =
        std::any_of(groups.groups().begin(), groups.groups().end(),
                    [&](const RunGroup& group) { return group.row->id == row.id; });
    if (!has_runs) missing.push_back("“" + row.label + "”");
  }
  if (!missing.empty())
    notes.add(fmt::format("Rows without a run in this sweep: {}.", fmt::join(missing, ", ")));
}

void note_columns(const TableDefinition& definition, Bold bold, Footnotes& notes) {
  const auto shows = [&](const auto& condition) {
    return std::any_of(definition.columns.begin(), definition.columns.end(), condition);
  };
  if (shows([](const ColumnDefinition& column) { return column.deviation; }))
    notes.add("±: standard deviation over n seeds, with n − 1 in the denominator.");
  std::vector<std::string> differences;
  for (const ColumnDefinition& column : definition.columns) {
    if (column.show != Show::kDifference) continue;
    differences.push_back(fmt::format("“{}” is the mean difference from “{}”", column.title,
                                      definition.find_row(column.to)->label));
  }
  if (!differences.empty()) {
    notes.add(fmt::format("{}, paired by seed and budget, with 95% t intervals in brackets.",
                          fmt::join(differences, "; ")));
  }
  if (bold.is_used) {
    notes.add(
        "Bold: the best mean of the quantized rows at a budget, and means that look the same.");
  }
  if (bold.is_withheld) {
    notes.add(fmt::format("Not shown in bold: {}fewer than {} seeds.",
                          bold.is_used ? "budgets at which a row has " : "", kSeedsForBold));
  }
  if (shows([](const ColumnDefinition& column) {
        return column.show == Show::kRuns || column.show == Show::kHours;
      })) {
    notes.add(
        "Runs and hours: all training that a row needs, including the runs from which its runs "
        "start; shared runs are counted in every row.");
  }
}

void note_checkpoints(const RunGroups& groups, Footnotes& notes) {
  const std::vector<const Run*> shared = groups.shared_checkpoints();
  if (shared.empty()) return;
  std::vector<std::string> jobs;
  std::set<std::string> seeds;
  for (const Run* run : shared) {
    jobs.push_back(short_key(run->key));
    seeds.insert(cell_text(run->seed));
  }
  notes.add(fmt::format(
      "{} from one full-precision checkpoint, trained once with seed {} (job{} {}). Seeds vary "
      "the order and augmentation of the images, and the calibration.",
      shared.size() == 1 ? "All rows start" : "Rows of the same network and recipe start",
      fmt::join(seeds, ", "), shared.size() == 1 ? "" : "s", fmt::join(jobs, ", ")));
}

void note_versions(const RunGroups& groups, Footnotes& notes) {
  std::map<std::string, int> versions;
  for (const Run& run : groups.runs()) {
    if (run.is_finished()) ++versions[version_of(run)];
  }
  if (versions.size() < 2) return;
  std::vector<std::string> texts;
  for (const auto& [version, count] : versions)
    texts.push_back(fmt::format("{} ({} run{})", version, count, count == 1 ? "" : "s"));
  notes.add(fmt::format("The runs come from {} versions of the code: {}.", versions.size(),
                        fmt::join(texts, ", ")));
}

}  // namespace

std::string Footnotes::mark(const std::string& text) {
  for (const Footnote& note : marked_) {
    if (note.text == text) return note.mark;
  }
  std::string mark;  // a ... z, aa, ab, ...
  for (size_t n = marked_.size() + 1; n > 0; n = (n - 1) / 26)
    mark.insert(mark.begin(), static_cast<char>('a' + (n - 1) % 26));
  marked_.push_back({mark, text});
  return mark;
}

std::vector<Footnote> Footnotes::take() {
  marked_.insert(marked_.end(), general_.begin(), general_.end());
  return std::move(marked_);
}

void add_general_notes(const TableDefinition& definition, const RunGroups& groups, Bold bold,
                       Footnotes& notes) {
  note_missing_rows(definition, groups, notes);
  note_columns(definition, bold, notes);
  note_checkpoints(groups, notes);
  note_versions(groups, notes);
  for (const std::string& note : definition.notes) notes.add(note);
}

}  // namespace qbitopt
