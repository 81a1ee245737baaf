#include "qbitopt/runlog/notes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <chrono>

#include "qbitopt/core/error.h"
#include "qbitopt/core/names.h"
#include "qbitopt/runlog/database_file.h"

namespace qbitopt {
namespace {

// "job_id" or "sweep_id": the column that names the subject.
std::string column_of(const RemarkSubject& subject) {
  return subject.is_sweep ? "sweep_id" : "job_id";
}

std::string id_of(const RemarkSubject& subject) {
  return subject.is_sweep ? "(SELECT id FROM sweep WHERE name = ?1)"
                          : "(SELECT id FROM job WHERE key = ?1)";
}

void check_tag(const std::string& tag) {
  const auto is_allowed = [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '.' || c == '-' || c == '_';
  };
  if (tag.empty() || !std::all_of(tag.begin(), tag.end(), is_allowed))
    throw InputError("'" + tag + "' is not a tag; use letters, digits and .-_");
}

}  // namespace

Remarks remarks(const Reader& reader, const RemarkSubject& subject) {
  const std::string condition = column_of(subject) + " = " + id_of(subject);
  Remarks found;
  const Rows notes = reader.query("SELECT text FROM note WHERE " + condition, {subject.name});
  if (!notes.empty()) found.note = notes.rows[0][0];
  const Rows tags =
      reader.query("SELECT name FROM tag WHERE " + condition + " ORDER BY name", {subject.name});
  for (const auto& row : tags.rows) found.tags.push_back(row[0]);
  return found;
}

void change_remarks(const std::filesystem::path& file, const RemarkSubject& subject,
                    const RemarkChanges& changes) {
  for (const std::string& tag : changes.add_tags) check_tag(tag);
  const std::vector<std::string> before = remarks(Reader(file), subject).tags;
  for (const std::string& tag : changes.remove_tags) {
    if (std::find(before.begin(), before.end(), tag) == before.end())
      throw InputError(unknown_name("tag", tag, before));
  }
  const auto connection = open_for_writing(file, Journal::kAutomatic);
  const std::string column = column_of(subject), id = id_of(subject);
  translate_errors(file, [&] {
    connection->begin();
    if (changes.note) {
      connection->execute("DELETE FROM note WHERE " + column + " = " + id, subject.name);
      const double now =
          std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch())
              .count();
      if (!changes.note->empty())
        connection->execute(
            "INSERT INTO note (" + column + ", text, written_at) VALUES (" + id + ", ?2, ?3)",
            subject.name, *changes.note, now);
    }
    for (const std::string& tag : changes.add_tags)
      connection->execute(
          "INSERT OR IGNORE INTO tag (" + column + ", name) VALUES (" + id + ", ?2)", subject.name,
          tag);
    for (const std::string& tag : changes.remove_tags)
      connection->execute("DELETE FROM tag WHERE " + column + " = " + id + " AND name = ?2",
                          subject.name, tag);
    connection->commit();
    come_to_rest(*connection);
  });
}

}  // namespace qbitopt
