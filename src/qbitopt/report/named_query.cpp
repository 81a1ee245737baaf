#include "qbitopt/report/named_query.h"

#include <algorithm>
#include <sstream>

#include "qbitopt/config/yaml.h"
#include "qbitopt/core/error.h"
#include "qbitopt/core/names.h"
#include "qbitopt/core/text_file.h"

namespace qbitopt {
namespace {

std::string leading_comment(const std::string& sql) {
  std::istringstream lines(sql);
  std::string text;
  for (std::string line; std::getline(lines, line) && line.starts_with("--");) {
    line.erase(0, line.find_first_not_of("- "));
    text += (text.empty() ? "" : "\n") + line;
  }
  return text;
}

}  // namespace

std::vector<NamedQuery> read_queries(const std::filesystem::path& folder) {
  std::vector<NamedQuery> queries;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    if (entry.path().extension() != ".sql") continue;
    const std::string sql = read_text(entry.path());
    queries.push_back({entry.path().stem().string(), leading_comment(sql), sql});
  }
  std::sort(queries.begin(), queries.end(),
            [](const NamedQuery& a, const NamedQuery& b) { return a.name < b.name; });
  return queries;
}

NamedQuery find_query(const std::filesystem::path& folder, const std::string& name) {
  std::vector<std::string> known;
  for (NamedQuery& query : read_queries(folder)) {
    if (query.name == name) return std::move(query);
    known.push_back(query.name);
  }
  if (known.empty())
    throw InputError("no query '" + name + "': there are no files " + folder.string() + "/*.sql");
  throw InputError(unknown_name("query", name, known));
}

}  // namespace qbitopt
