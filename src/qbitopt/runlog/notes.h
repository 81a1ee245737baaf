#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "qbitopt/runlog/reader.h"

namespace qbitopt {

// What a person says about a job or a sweep.
struct Remarks {
  std::string note;               // empty: none
  std::vector<std::string> tags;  // sorted
};

// A job by its key, or a sweep by its name.
struct RemarkSubject {
  bool is_sweep = false;
  std::string name;
};

Remarks remarks(const Reader& reader, const RemarkSubject& subject);

struct RemarkChanges {
  std::optional<std::string> note;  // replaces the old one; empty: deletes it
  std::vector<std::string> add_tags, remove_tags;
};

// Committed on return; may be called while a driver is running. Throws InputError for a tag that is
// not made of letters, digits and ".-_", or that is to be removed and is not there, and DatabaseError.
void change_remarks(const std::filesystem::path& file, const RemarkSubject& subject,
                    const RemarkChanges& changes);

}  // namespace qbitopt
