// qbitopt diff: what two jobs have in common, and what not.
#include <fmt/format.h>

#include <map>
#include <set>

#include "app/exit_codes.h"
#include "app/rows.h"
#include "app/text.h"
#include "app/verbs.h"
#include "qbitopt/core/hash.h"
#include "qbitopt/runlog/queries.h"

namespace po = boost::program_options;

namespace qbitopt::app {
namespace {

// Name -> value, null if the job has no such value.
using Facts = std::map<std::string, Json>;

struct ComparedJob {
  std::string key;
  Facts parameters, versions, results;
};

ComparedJob compared_job(const Reader& reader, const std::string& word) {
  ComparedJob compared{find_key(reader, word), {}, {}, {}};
  const Job job = stored_job(reader, compared.key);
  std::set<std::string> known = {"key",        "job",      "config_key", "checkpoint",
                                 "started_at", "ended_at", "heard_at"};
  for (const auto& [name, value] : job.parameters.items()) {
    compared.parameters[name] = value;
    std::string column = name;  // its name in `runs`
    std::replace(column.begin(), column.end(), '.', '_');
    known.insert({name, column});
  }
  for (const auto& [need, key] : job.needs) compared.parameters["needs " + need] = short_key(key);
  for (const auto& [part, version] : job.versions) compared.versions[part] = version;
  const Json run = as_json(reader.query("SELECT * FROM runs WHERE key = ?1", {compared.key})).at(0);
  for (const auto& [name, value] : run.items()) {
    if (known.count(name) == 0) compared.results[name] = value;
  }
  return compared;
}

// [{"name": ..., "a": ..., "b": ..., "difference": b - a}], of what is not equal, or of all.
Json compare(const Facts& a, const Facts& b, bool all) {
  std::set<std::string> names;
  for (const Facts* facts : {&a, &b}) {
    for (const auto& [name, value] : *facts) names.insert(name);
  }
  Json rows = Json::array();
  const auto value_of = [](const Facts& facts, const std::string& name) {
    const auto found = facts.find(name);
    return found == facts.end() ? Json() : found->second;
  };
  for (const std::string& name : names) {
    const Json left = value_of(a, name), right = value_of(b, name);
    if (left == right && (!all || left.is_null())) continue;
    Json row = {{"name", name}, {"a", left}, {"b", right}};
    const bool are_numbers = left.is_number() && right.is_number();
    if (are_numbers && left != right) row["difference"] = right.get<double>() - left.get<double>();
    rows.push_back(std::move(row));
  }
  return rows;
}

std::string as_text(const std::string& title, const Json& rows) {
  if (rows.empty()) return title + ": the same\n";
  std::vector<std::vector<std::string>> cells;
  for (const Json& row : rows) {
    const std::string difference =
        row.contains("difference") ? fmt::format("{:+.6g}", row["difference"].get<double>()) : "";
    const auto cell = [&](const char* side) {
      return row[side].is_null() ? std::string("-") : plain(row[side]);
    };
    cells.push_back({"  " + row["name"].get<std::string>(), cell("a"), cell("b"), difference});
  }
  return title + "\n" + columns(cells);
}

}  // namespace

int diff(const Invocation& invocation) {
  CommandLine line("diff KEY KEY [options]",
                   "Compares the parameters, versions and results of two jobs, and shows what "
                   "differs.");
  line.options()("all", po::bool_switch(), "also show what is the same");
  line.add_database();
  line.add_json();
  line.add_positional("key", 2);
  if (!line.parse(invocation)) return kGood;
  if (line.words("key").size() != 2)
    throw UsageError("diff needs the keys of two jobs; `qbitopt ls` lists them");
  const Reader reader(line.database());
  const ComparedJob a = compared_job(reader, line.words("key")[0]);
  const ComparedJob b = compared_job(reader, line.words("key")[1]);
  const bool all = line.is_on("all");
  const std::vector<std::pair<std::string, Json>> parts = {
      {"parameters", compare(a.parameters, b.parameters, all)},
      {"versions", compare(a.versions, b.versions, all)},
      {"results", compare(a.results, b.results, all)}};
  if (line.json()) {
    Json json = {{"a", a.key}, {"b", b.key}};
    for (const auto& [name, rows] : parts) json[name] = rows;
    invocation.console.print_json(json);
    return kGood;
  }
  std::string text = fmt::format("{} -> {}\n", short_key(a.key), short_key(b.key));
  for (const auto& [name, rows] : parts) text += "\n" + as_text(name, rows);
  invocation.console.print(text);
  return kGood;
}

}  // namespace qbitopt::app
