#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace qbitopt {

// A question kept in a file: results/queries/gain-over-fixed.sql. The comment lines it begins with
// say what it answers and what its arguments (":name" in the SQL) mean.
struct NamedQuery {
  std::string name;  // the file's name without .sql
  std::string description;
  std::string sql;
};

// In the order of their names; none if there is no such folder.
std::vector<NamedQuery> read_queries(const std::filesystem::path& folder);

// Throws InputError with the known names and the nearest.
NamedQuery find_query(const std::filesystem::path& folder, const std::string& name);

}  // namespace qbitopt
