// qbitopt note: notes and tags on jobs and sweeps.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/exit_codes.h"
#include "app/verbs.h"
#include "qbitopt/runlog/notes.h"
#include "qbitopt/runlog/queries.h"

namespace po = boost::program_options;

namespace qbitopt::app {
namespace {

RemarkSubject subject_of(const Reader& reader, const std::string& word) {
  const bool is_sweep = last_revision(reader, word).has_value();
  return {is_sweep, is_sweep ? word : find_key(reader, word)};
}

std::string as_text(const Remarks& remarks) {
  std::string text = remarks.note.empty() ? "" : remarks.note + "\n";
  if (!remarks.tags.empty()) text += fmt::format("tags: {}\n", fmt::join(remarks.tags, " "));
  return text.empty() ? "no note and no tags\n" : text;
}

}  // namespace

int note(const Invocation& invocation) {
  CommandLine line(
      "note (KEY | SWEEP) [TEXT] [options]",
      "Writes a note or tags on a job or a sweep, or prints them. `ls`, `show`, the "
      "report and the\nviews `runs` and `progress` show them. Works while a sweep runs. "
      "An empty TEXT deletes the note.");
  line.options()("tag", po::value<Words>()->value_name("TAG"), "add a tag; may be repeated")(
      "untag", po::value<Words>()->value_name("TAG"), "remove a tag; may be repeated");
  line.add_database();
  line.add_json();
  line.add_positional("subject", 1);
  line.add_positional("text", 1);
  if (!line.parse(invocation)) return kGood;
  if (!line.has("subject")) throw UsageError("note needs the key of a job or the name of a sweep");
  const std::filesystem::path file = line.database();
  const RemarkSubject subject = subject_of(Reader(file), line.words("subject").front());
  RemarkChanges changes;
  if (line.has("text")) changes.note = line.words("text").front();
  changes.add_tags = line.words("tag");
  changes.remove_tags = line.words("untag");
  if (changes.note || !changes.add_tags.empty() || !changes.remove_tags.empty()) {
    change_remarks(file, subject, changes);
    return kGood;
  }
  const Remarks found = remarks(Reader(file), subject);
  if (line.json()) {
    invocation.console.print_json({{"note", found.note}, {"tags", found.tags}});
  } else {
    invocation.console.print(as_text(found));
  }
  return kGood;
}

}  // namespace qbitopt::app
