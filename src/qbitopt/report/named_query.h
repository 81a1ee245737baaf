#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace qbitopt {

// A query stored in a file: results/queries/gain-over-fixed.sql. The comment at its beginning says
// which question it answers, and what its arguments (":name" in the SQL) mean.
struct NamedQuery {
  std::string name;  // the file's name without .sql
  std::string description;
  std::string sql;
};

// The queries of a folder, by name; empty if there is no such folder.
std::vector<NamedQuery> read_queries(const std::filesystem::path& folder);

// Throws InputError with the known names and the nearest.
NamedQuery find_query(const std::filesystem::path& folder, const std::string& name);

}  // namespace qbitopt
