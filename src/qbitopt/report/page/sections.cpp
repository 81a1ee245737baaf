#include "qbitopt/report/page/sections.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <set>

#include "qbitopt/core/error.h"
#include "qbitopt/core/hash.h"
#include "qbitopt/report/figures/figure.h"
#include "qbitopt/report/figures/vl_convert.h"
#include "qbitopt/report/page/html.h"
#include "qbitopt/report/page/queries.h"
#include "qbitopt/report/run_groups.h"
#include "qbitopt/report/table_format.h"
#include "qbitopt/runlog/queries.h"

namespace qbitopt {
namespace {

std::string clock_time(double unix_seconds) {
  const auto seconds = static_cast<std::time_t>(unix_seconds);
  std::tm utc{};
  char text[32];
  std::strftime(text, sizeof(text), "%Y-%m-%d %H:%M UTC", ::gmtime_r(&seconds, &utc));
  return text;
}

std::string hours(double seconds) {
  if (seconds < 100) return fmt::format("{:.1f} s", seconds);
  if (seconds < 6000) return fmt::format("{:.1f} min", seconds / 60);
  return fmt::format("{:.1f} h", seconds / 3600);
}

std::string text_of(const Json& cell) {
  return cell.is_string() ? cell.get<std::string>() : cell.is_null() ? "" : cell.dump();
}

Json argument(const SectionInput& input) { return input.sweep ? Json(*input.sweep) : Json(); }

std::string section(const std::string& id, const std::string& title, const std::string& content) {
  return fmt::format(
      "<section id=\"{0}\" aria-labelledby=\"{0}-title\">\n<h2 "
      "id=\"{0}-title\">{1}</h2>\n{2}</section>\n",
      id, escaped(title), content);
}

std::string fact(const std::string& title, const std::string& value, const std::string& more = "") {
  return fmt::format("<div><dt>{}</dt><dd>{}{}</dd></div>\n", escaped(title), escaped(value),
                     more.empty() ? "" : "<small>" + escaped(more) + "</small>");
}

// The distinct values of a column of the runs, the most frequent first.
std::vector<std::string> values(const PageRuns& runs, const std::string& column) {
  std::map<std::string, int> counts;
  for (size_t i = 0; i < runs.rows.size(); ++i) {
    const std::string value = text_of(runs.rows.at(i, column));
    if (!value.empty()) ++counts[value];
  }
  std::vector<std::string> names;
  for (const auto& [name, count] : counts) names.push_back(name);
  std::stable_sort(names.begin(), names.end(), [&](const std::string& a, const std::string& b) {
    return counts[a] > counts[b];
  });
  return names;
}

std::string listed(const std::vector<std::string>& names, size_t most = 3) {
  std::string text;
  for (size_t i = 0; i < names.size() && i < most; ++i) text += (i ? ", " : "") + names[i];
  if (names.size() > most) text += fmt::format(" and {} more", names.size() - most);
  return text;
}

size_t count_of(const PageRuns& runs, const std::string& state) {
  size_t count = 0;
  for (size_t i = 0; i < runs.rows.size(); ++i) count += runs.rows.at(i, "state") == state;
  return count;
}

std::string tools(const std::string& table, const std::string& hint, const std::string& more = "") {
  return fmt::format(
      "<div class=\"tools\" data-table=\"{}\"><label>Filter <input type=\"search\" "
      "placeholder=\"{}\"></label>{}<span class=\"count\" role=\"status\"></span></div>\n",
      table, escaped(hint), more);
}

std::string cell(const std::string& content, const char* classes = "",
                 const std::string& value = "") {
  return fmt::format("<td{}{}>{}</td>", *classes ? fmt::format(" class=\"{}\"", classes) : "",
                     value.empty() ? "" : fmt::format(" data-value=\"{}\"", escaped(value)),
                     content);
}

std::string head(const std::vector<std::pair<std::string, bool>>& columns) {
  std::string text = "<thead><tr>";
  for (const auto& [title, is_number] : columns) {
    text += fmt::format("<th scope=\"col\"{}>{}</th>", is_number ? " class=\"number\"" : "",
                        escaped(title));
  }
  return text + "</tr></thead>\n";
}

// "holds: QBitOpt is better ...", a line for each claim of the table.
std::string verdicts(const Table& table) {
  std::string items;
  for (const ClaimResult& result : table.claims) {
    const std::string head = result.claim.say + ": " + result.verdict + ".";
    const bool begins_so = result.text.starts_with(head);
    const char* look = result.verdict == "holds"                ? "holds"
                       : result.verdict == "the opposite holds" ? "opposite"
                                                                : "open";
    items += fmt::format("<li class=\"{}\"><strong>{}</strong>{}</li>\n", look,
                         escaped(begins_so ? head : result.text),
                         begins_so ? escaped(result.text.substr(head.size())) : "");
  }
  return items.empty() ? ""
                       : "<p class=\"note\">Claims stated before the runs:</p>\n"
                         "<ul class=\"verdicts\">\n" +
                             items + "</ul>\n";
}

std::string counted(size_t count, const std::string& noun, const std::string& more = "") {
  return fmt::format("{} {}{}{}", count, noun, count == 1 ? "" : "s", more);
}

// Which jobs of the page are in no mean of its tables, and why. `jobs`: keys of the runs in them.
std::string left_out(const PageRuns& runs, const std::set<std::string>& jobs) {
  std::map<std::string, size_t> states;
  std::map<std::string, size_t> in_no_row;  // by method
  size_t missed = 0, trials = 0;
  for (size_t i = 0; i < runs.rows.size(); ++i) {
    const std::string state = text_of(runs.rows.at(i, "state"));
    if (state != "finished") {
      ++states[state];
    } else if (runs.rows.at(i, "is_trial") == 1) {
      ++trials;
    } else if (runs.rows.at(i, "budget_met") == 0) {
      ++missed;
    } else if (jobs.count(text_of(runs.rows.at(i, "key"))) == 0) {
      ++in_no_row[text_of(runs.rows.at(i, "method"))];
    }
  }
  std::vector<std::string> parts;
  if (missed > 0) parts.push_back(counted(missed, "finished run", " above the budget"));
  for (const char* state : {"failed", "stopped", "interrupted", "running", "new"}) {
    if (states[state] > 0) parts.push_back(counted(states[state], std::string(state) + " job"));
  }
  if (trials > 0) parts.push_back(counted(trials, "trial", " of searches"));
  for (const auto& [method, count] : in_no_row)
    parts.push_back(counted(count, "run", " of " + method + " that belong to no row"));
  return fmt::format("<p class=\"note left-out\"><strong>Not in these means:</strong> {}.</p>\n",
                     parts.empty() ? "nothing; all jobs have finished within their budgets"
                                   : escaped(fmt::to_string(fmt::join(parts, ", "))));
}

std::string comparison(const SectionInput& input, const TableDefinition& definition,
                       const std::string& id, std::set<std::string>& jobs) {
  std::string html, claims;
  try {
    Table table = build_table(input.reader, definition);
    jobs.insert(table.jobs.begin(), table.jobs.end());
    claims = verdicts(table);
    table.claims.clear();
    html = table_as_html(table);
  } catch (const InputError& error) {  // the page shows the error in place of the table
    return "<p class=\"message\">" + escaped(error.what()) + "</p>\n";
  }
  std::string sql;
  for (const std::string& sweep : definition.sweeps) sql += runs_of_sweep(sweep) + ";\n";
  return claims + tools(id, "method, bits, ...") + fmt::format("<div id=\"{}\">\n", id) + html +
         "</div>\n" + (definition.text.empty() ? "" : folded_code("Definition", definition.text)) +
         folded_code("SQL of its runs", sql);
}

// Beyond this, the page would grow too large; the command that writes the data is shown instead.
constexpr size_t kMostCsvBytes = 200'000;

std::string drawing(const FigureDefinition& figure, PageFigure drawn, Json& csv) {
  if (!drawn.error.empty()) drawn.svg = "<p class=\"message\">" + escaped(drawn.error) + "</p>";
  if (drawn.svg.empty()) return "";
  const std::string command = fmt::format("qbitopt plot {} --format csv", figure.name);
  std::string data = fmt::format("Data: <code>{}</code>", escaped(command));
  if (drawn.csv.size() <= kMostCsvBytes) {
    csv[figure.name] = drawn.csv;
    data = fmt::format(
        "<button type=\"button\" class=\"plain csv\" data-figure=\"{}\">Data as CSV</button>",
        escaped(figure.name));
  }
  data = drawn.csv.empty() ? ""
                           : "<p class=\"note\"><button type=\"button\" class=\"plain larger\" "
                             "aria-pressed=\"false\">Larger</button> " +
                                 data + "</p>";
  return fmt::format(
      "<figure id=\"figure-{}\">\n<h3>{}</h3>\n<figcaption>{}</figcaption>\n"
      "<div class=\"drawing\" tabindex=\"0\" role=\"region\" "
      "aria-label=\"{}\">{}</div>\n{}{}</figure>\n",
      escaped(figure.name), escaped(figure.title), escaped(figure.caption), escaped(figure.title),
      drawn.svg, data, folded_code("SQL", figure.sql));
}

}  // namespace

std::string page_title(const SectionInput& input) {
  return input.sweeps.empty() ? input.reader.file().filename().string() : listed(input.sweeps);
}

std::string question_section(const SectionInput& input) {
  if (input.sweeps.size() != 1) return "";
  const auto revision = last_revision(input.reader, input.sweeps.front());
  if (!revision) return "";
  std::vector<std::string> lines;
  size_t begin = 0;
  while (begin < revision->text.size() && revision->text[begin] == '#') {
    const size_t end = std::min(revision->text.find('\n', begin), revision->text.size());
    const size_t first = revision->text.find_first_not_of("# \t", begin);
    if (first < end) lines.push_back(revision->text.substr(first, end - first));
    begin = end + 1;
  }
  return lines.empty()
             ? ""
             : "<p class=\"question\">" + escaped(fmt::to_string(fmt::join(lines, " "))) + "</p>";
}

std::string facts_section(const SectionInput& input) {
  const PageRuns& runs = input.runs;
  double seconds = 0;
  double first = 0;
  for (size_t i = 0; i < runs.rows.size(); ++i) {
    if (runs.rows.at(i, "seconds").is_number()) seconds += runs.rows.at(i, "seconds").get<double>();
    const Json& started = runs.rows.at(i, "started_at");
    if (started.is_number() && (first == 0 || started < first)) first = started.get<double>();
  }
  std::vector<std::string> counts;
  for (const char* state : {"finished", "running", "interrupted", "failed", "stopped", "new"}) {
    const size_t count = count_of(runs, state);
    if (count > 0) counts.push_back(fmt::format("{} {}", count, state));
  }
  std::string states = fmt::to_string(fmt::join(counts, ", "));
  size_t missed = 0;
  for (size_t i = 0; i < runs.rows.size(); ++i)
    missed += runs.rows.at(i, "state") == "finished" && runs.rows.at(i, "budget_met") == 0;
  if (missed > 0) states += fmt::format("; {} above their budget", missed);

  std::string text = fact("Jobs", std::to_string(runs.rows.size()), states);
  const auto methods = values(runs, "method");
  text += fact("Methods", std::to_string(methods.size()), listed(methods, 4));
  text +=
      fact("Model and data", listed(values(runs, "model"), 2), listed(values(runs, "data_name")));
  text += fact("Training time", hours(seconds), "total of the finished runs");
  if (first > 0) text += fact("Started", clock_time(first));
  const auto hosts = values(runs, "host");
  if (!hosts.empty()) text += fact("Machine", listed(hosts), listed(values(runs, "cpu")));
  const auto commits = values(runs, "commit_hash");
  if (!commits.empty()) {
    std::vector<std::string> shortened;
    for (const std::string& commit : commits) {
      const bool is_dirty = commit.ends_with("-dirty");
      shortened.push_back(commit.substr(0, 10) + (is_dirty && commit.size() > 10 ? "-dirty" : ""));
    }
    text += fact("Code", listed(shortened, 2), commits.size() > 1 ? "several versions" : "commit");
  }
  return section("sweep", "Sweep", "<dl class=\"facts\">\n" + text + "</dl>\n");
}

std::string comparison_section(const SectionInput& input,
                               const std::vector<TableDefinition>& tables) {
  std::string content;
  std::set<std::string> jobs;
  for (size_t i = 0; i < tables.size(); ++i)
    content += comparison(input, tables[i], fmt::format("comparison-{}", i + 1), jobs);
  return content.empty()
             ? ""
             : section("comparison", "Comparison", content + left_out(input.runs, jobs));
}

FiguresInWork begin_figures(const Reader& reader, const std::optional<std::string>& sweep) {
  FiguresInWork figures;
  if (!has_vl_convert()) return figures;
  std::vector<std::string> names = figure_names();
  // The figure that most readers look for comes first.
  std::stable_partition(names.begin(), names.end(),
                        [](const std::string& name) { return name == "accuracy_over_bits"; });
  for (const std::string& name : names) figures.definitions.push_back(read_figure(name));
  figures.drawn = figures_for_page(reader, figures.definitions, sweep);
  return figures;
}

std::string figures_section(FiguresInWork figures, Json& csv) {
  if (!figures.drawn.valid()) {
    return section("figures", "Figures",
                   "<p class=\"note\">vl-convert, which draws the figures, was not installed when "
                   "this page was written.</p>\n");
  }
  const std::vector<PageFigure> drawn = figures.drawn.get();
  std::string content;
  std::vector<std::string> empty;  // titles
  for (size_t i = 0; i < drawn.size(); ++i) {
    const std::string html = drawing(figures.definitions[i], drawn[i], csv);
    if (html.empty()) empty.push_back(figures.definitions[i].title);
    content += html;
  }
  if (content.empty()) {
    content = "<p class=\"note\">No run has finished yet.</p>\n";
  } else if (!empty.empty()) {
    content += fmt::format(
        "<p class=\"note left-out\"><strong>Not drawn,</strong> because no run has their data: "
        "{}.</p>\n",
        escaped(fmt::to_string(fmt::join(empty, "; "))));
  }
  return section("figures", "Figures", content);
}

std::string runs_section() {
  std::string states = "<label>State <select><option value=\"\">all</option>";
  for (const char* state :
       {"finished", "missed", "running", "interrupted", "failed", "stopped", "new"})
    states += fmt::format("<option>{}</option>", state);
  states += "</select></label>";
  return section("runs", "Runs",
                 "<p class=\"note\">Every job of the sweep. Select a job to see its curves, bits, "
                 "configuration and log.</p>\n" +
                     tools("all-runs", "words in a row", states) +
                     "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Runs\">"
                     "<table class=\"sortable\" "
                     "id=\"all-runs\"><thead></thead><tbody></tbody></table></div>\n" +
                     folded_code("SQL", page_query("runs")));
}

std::string failures_section(const SectionInput& input) {
  const std::string sql = page_query("failures");
  const Rows rows = input.reader.query(sql, {argument(input)});
  if (rows.empty()) return "";
  std::string body = "<tbody>\n";
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto at = [&](const char* column) { return text_of(rows.at(i, column)); };
    const std::string job = short_key(at("key"));
    body += fmt::format("<tr><td><a class=\"key\" href=\"#run-{0}\">{0}</a></td>", job) +
            cell(escaped(at("method"))) + cell(at("seed"), "number") +
            cell(at("attempt"), "number") + cell(escaped(at("error_class"))) +
            cell(escaped(at("error_text")), "wrap") +
            cell(fmt::format("<span class=\"state {0}\">{0}</span>", escaped(at("job_state")))) +
            cell("<code>" + escaped(at("log")) + "</code>") + "</tr>\n";
  }
  return section("failures", "Failures",
                 tools("all-failures", "class, message, ...") +
                     "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Failures\">"
                     "<table class=\"sortable\" id=\"all-failures\">" +
                     head({{"Job", false},
                           {"Method", false},
                           {"Seed", true},
                           {"Attempt", true},
                           {"Class", false},
                           {"Message", false},
                           {"Job now", false},
                           {"Log", false}}) +
                     body + "</tbody></table></div>\n" + folded_code("SQL", sql));
}

std::string provenance_section(const SectionInput& input) {
  std::string content;
  for (const std::string& name : input.sweeps) {
    const auto revision = last_revision(input.reader, name);
    if (!revision) continue;
    const std::string command = fmt::to_string(fmt::join(revision->argv, " "));
    content += "<h3>Sweep " + escaped(name) +
               "</h3>\n<div class=\"scroll\"><table class=\"plain-list\"><tbody>\n";
    const auto row = [&](const std::string& title, const std::string& value) {
      content += "<tr><th scope=\"row\">" + escaped(title) + "</th><td>" + value + "</td></tr>\n";
    };
    row("Command", "<code>" + escaped(command) + "</code>");
    row("First run of this version", escaped(clock_time(revision->recorded_at)));
    for (const auto& [file, hash] : revision->included)
      row(file, "<code>sha256 " + escaped(hash) + "</code>");
    content += "</tbody></table></div>\n" +
               fmt::format("<details class=\"sql\"><summary>Text of {}</summary>{}</details>\n",
                           escaped(revision->file), code_block(revision->text));
  }
  content +=
      "<h3>Machines and versions</h3>\n<div class=\"scroll\"><table class=\"plain-list\"><tbody>\n";
  for (const auto& [column, title] :
       std::vector<std::pair<const char*, const char*>>{{"host", "Hosts"},
                                                        {"cpu", "Processors"},
                                                        {"os", "Operating systems"},
                                                        {"libtorch", "LibTorch"},
                                                        {"compiler", "Compilers"},
                                                        {"commit_hash", "Commits"}}) {
    const auto found = values(input.runs, column);
    if (found.empty()) continue;
    content += fmt::format("<tr><th scope=\"row\">{}</th><td>{}</td></tr>\n", title,
                           escaped(listed(found, 50)));
  }
  content += fmt::format("<tr><th scope=\"row\">Database</th><td><code>{}</code></td></tr>\n",
                         escaped(std::filesystem::absolute(input.reader.file()).string()));
  return section("provenance", "Provenance", content + "</tbody></table></div>\n");
}

}  // namespace qbitopt
