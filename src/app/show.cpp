// qbitopt show: shows all details of a job, or the runs behind a table cell.
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <set>

#include "app/exit_codes.h"
#include "app/rows.h"
#include "app/tables.h"
#include "app/text.h"
#include "app/verbs.h"
#include "qbitopt/core/hash.h"
#include "qbitopt/runlog/queries.h"

namespace qbitopt::app {
namespace {

std::string log_of(const AttemptRecord& attempt) {
  return shown(std::filesystem::path(attempt.folder) / "log.txt");
}

std::string clock_time(double unix_seconds) {
  const auto seconds = static_cast<std::time_t>(unix_seconds);
  std::tm local{};
  char text[32];
  std::strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", ::localtime_r(&seconds, &local));
  return text;
}

std::string how_it_ended(const AttemptRecord& attempt) {
  std::string text = attempt.error_class;
  if (!attempt.error_text.empty()) text += (text.empty() ? "" : ": ") + attempt.error_text;
  if (attempt.signal.value_or(0) != 0) text += fmt::format(" [signal {}]", *attempt.signal);
  return text;
}

Json attempt_json(const AttemptRecord& attempt) {
  return {{"number", attempt.number},
          {"state", attempt.state},
          {"folder", attempt.folder},
          {"log", attempt.folder + "/log.txt"},
          {"host", attempt.host},
          {"pid", attempt.pid},
          {"queue_id", attempt.queue_id.empty() ? Json() : Json(attempt.queue_id)},
          {"begun_at", attempt.begun_at},
          {"ended_at", attempt.ended_at > 0 ? Json(attempt.ended_at) : Json()},
          {"exit_code", attempt.exit_code ? Json(*attempt.exit_code) : Json()},
          {"signal", attempt.signal ? Json(*attempt.signal) : Json()},
          {"error_class", attempt.error_class},
          {"error_text", attempt.error_text}};
}

std::string table_of(const std::vector<AttemptRecord>& attempts) {
  std::vector<std::vector<std::string>> rows = {
      {"attempt", "state", "begun", "took", "host", "pid", "log", ""}};
  for (const AttemptRecord& attempt : attempts) {
    const std::string took =
        attempt.ended_at > 0 ? duration(attempt.ended_at - attempt.begun_at) : "";
    rows.push_back({std::to_string(attempt.number), attempt.state, clock_time(attempt.begun_at),
                    took, attempt.host, std::to_string(attempt.pid), log_of(attempt),
                    how_it_ended(attempt)});
  }
  return columns(rows);
}

// Names and values of the columns of `runs` that are not parameters of the job.
std::string table_of_results(const Json& run, const Job& job) {
  std::set<std::string> known = {"key", "job"};
  for (const auto& [name, value] : job.parameters.items()) {
    known.insert(name);
    std::string column = name;  // its name in `runs`
    std::replace(column.begin(), column.end(), '.', '_');
    known.insert(column);
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& [name, value] : run.items()) {
    if (value.is_null() || known.count(name)) continue;
    const bool is_time = name == "started_at" || name == "ended_at";
    rows.push_back({"  " + name, is_time ? clock_time(value) : plain(value)});
  }
  return columns(rows);
}

std::string as_text(const Job& job, const Json& run, const std::vector<AttemptRecord>& attempts) {
  std::string text = fmt::format("job {}\n\nparameters\n", job.key);
  std::vector<std::vector<std::string>> parameters;
  for (const auto& [name, value] : job.parameters.items())
    parameters.push_back({"  " + name, plain(value)});
  text += columns(parameters);
  for (const auto& [need, key] : job.needs)
    text += fmt::format("needs {} of job {}\n", need, short_key(key));
  text += "\nrun\n" + table_of_results(run, job);
  if (!attempts.empty()) text += "\n" + table_of(attempts);
  return text;
}

// "quick:qbitopt@3:top1": a table, and a cell of it.
std::pair<std::string, std::string> split_address(const std::string& address) {
  const size_t colon = address.find(':');
  if (colon == std::string::npos || address.find(':', colon + 1) == std::string::npos)
    throw UsageError("'" + address +
                     "' is not a cell; write TABLE:ROW:COLUMN, as in quick:qbitopt@3:top1 "
                     "(`qbitopt table NAME --json` lists rows and columns)");
  return {address.substr(0, colon), address.substr(colon + 1)};
}

std::string runs_behind(const Cell& cell) {
  std::vector<std::vector<std::string>> rows = {{"job", "seed", "state", "value", "compared with"}};
  for (const CellSource& source : cell.sources) {
    rows.push_back({short_key(source.key), plain(source.seed), source.state,
                    source.value ? plain(*source.value) : "", short_key(source.reference_key)});
  }
  return columns(rows);
}

int show_cell(const CommandLine& line, Console& console) {
  const auto [name, address] = split_address(line.get<std::string>("cell"));
  const Reader reader(line.database());
  const Table table =
      build_table(reader, find_table(reader, name, line.find<std::string>("sweep")));
  const Cell& cell = table.cell(address);
  if (!line.json()) {
    std::string value = cell.text;
    for (const auto& number : cell.values)
      value += (value.empty() ? "" : " / ") + (number ? plain(*number) : std::string("none"));
    const auto runs = static_cast<int>(cell.sources.size());
    const std::string of =
        cell.n > 0 && cell.n < runs ? fmt::format("{} of {}", cell.n, runs) : std::to_string(runs);
    console.print(fmt::format("{}: {}, from {} runs\n\n{}", address, value, of, runs_behind(cell)));
    return kGood;
  }
  const Json all = Json::parse(table_as_json(table));
  for (const Json& section : all["sections"]) {
    for (const Json& row : section["rows"]) {
      const std::string prefix = row["row"].get<std::string>() + ":";
      if (!address.starts_with(prefix) || !row["cells"].contains(address.substr(prefix.size())))
        continue;
      console.print_json(row["cells"][address.substr(prefix.size())]);
    }
  }
  return kGood;
}

}  // namespace

int show(const Invocation& invocation) {
  CommandLine line(
      "show KEY [options]",
      "Shows all details of a job, named by the first digits of its key, or the runs behind a\n"
      "table cell.");
  line.options()("cell",
                 boost::program_options::value<std::string>()->value_name("TABLE:ROW:COLUMN"),
                 "show the runs behind a table cell, for example quick:qbitopt@3:top1")(
      "sweep", boost::program_options::value<std::string>()->value_name("SWEEP"),
      "with --cell: the sweep whose runs the table shows");
  line.add_database();
  line.add_json();
  line.add_positional("key", 1);
  if (!line.parse(invocation)) return kGood;
  if (line.has("cell") && line.has("key"))
    throw UsageError("show needs KEY or --cell, but not both");
  if (line.has("sweep") && !line.has("cell")) throw UsageError("--sweep is an option of --cell");
  if (line.has("cell")) return show_cell(line, invocation.console);
  if (!line.has("key"))
    throw UsageError("show needs the first digits of a job's key; `qbitopt ls` lists them");

  const Reader reader(line.database());
  const std::string key = find_key(reader, line.words("key").front());
  const Job job = stored_job(reader, key);
  const Json run = as_json(reader.query("SELECT * FROM runs WHERE key = ?1", {key})).at(0);
  const std::vector<AttemptRecord> executions = attempts(reader, key);
  if (!line.json()) {
    invocation.console.print(as_text(job, run, executions));
    return kGood;
  }
  Json json = {{"job", job}, {"run", run}, {"attempts", Json::array()}};
  for (const AttemptRecord& attempt : executions) json["attempts"].push_back(attempt_json(attempt));
  invocation.console.print_json(json);
  return kGood;
}

}  // namespace qbitopt::app
