#include "qbitopt/report/page/page.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <map>
#include <stdexcept>

#include "qbitopt/report/page/html.h"
#include "qbitopt/report/page/queries.h"
#include "qbitopt/report/page/run_data.h"
#include "qbitopt/report/page/sections.h"

namespace qbitopt {
namespace {

std::string text_of(const std::vector<EmbeddedFile>& files) {
  return std::string(files.front().text);
}

// `template_text` with each {{name}} replaced by its value. Values are not searched for names.
std::string filled(const std::string& template_text,
                   const std::map<std::string, std::string>& values) {
  std::string out;
  size_t begin = 0;
  for (size_t mark = template_text.find("{{"); mark != std::string::npos;
       mark = template_text.find("{{", begin)) {
    const size_t end = template_text.find("}}", mark);
    out += template_text.substr(begin, mark - begin);
    out += values.at(template_text.substr(mark + 2, end - mark - 2));
    begin = end + 2;
  }
  return out + template_text.substr(begin);
}

struct PagePart {
  const char* id;
  const char* title;
  std::string html;  // empty: left out
};

std::string now() {
  const std::time_t seconds =
      std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm utc{};
  char text[32];
  std::strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", ::gmtime_r(&seconds, &utc));
  return text;
}

}  // namespace

std::string page_query(const std::string& name) {
  for (const EmbeddedFile& file : page_queries()) {
    if (file.name == name) return std::string(file.text);
  }
  throw std::logic_error("no query " + name);
}

std::vector<std::string> sweeps_on_page(const Reader& reader, const PageOptions& options) {
  if (options.sweep) return {*options.sweep};
  std::vector<std::string> names;
  for (const auto& row : reader.query("SELECT sweep FROM progress ORDER BY started_at DESC").rows)
    names.push_back(row.front());
  return names;
}

std::string render_page(const Reader& reader, const PageOptions& options) {
  FiguresInWork figures = begin_figures(reader, options.sweep);
  const PageRuns runs = read_runs(reader, options.sweep);
  const SectionInput input{reader, options.sweep, sweeps_on_page(reader, options), runs};
  std::vector<PagePart> parts = {
      {"comparison", "Comparison", comparison_section(input, options.tables)},
      {"sweep", "Sweep", facts_section(input)},
      {"figures", "Figures", ""},
      {"runs", "Runs", runs_section()},
      {"failures", "Failures", failures_section(input)},
      {"provenance", "Provenance", provenance_section(input)}};
  Json data = run_data(reader, options.sweep, runs);
  data["csv"] = Json::object();
  parts[2].html = figures_section(std::move(figures), data["csv"]);
  std::string navigation;
  std::string sections;
  for (const PagePart& part : parts) {
    if (part.html.empty()) continue;
    navigation += fmt::format("<li><a href=\"#{}\">{}</a></li>\n", part.id, part.title);
    sections += part.html;
  }
  data["refresh_seconds"] = options.refresh_seconds;
  const std::string script = text_of(page_script());
  const std::string refresh =
      options.refresh_seconds > 0
          ? fmt::format(" The sweep is still running: this page reloads every {} s.",
                        options.refresh_seconds)
          : "";
  return filled(text_of(page_markup()),
                {{"script_hash", script_hash(script)},
                 {"title", escaped(page_title(input))},
                 {"style", text_of(page_style())},
                 {"navigation", navigation},
                 {"question", question_section(input)},
                 {"sections", sections},
                 {"colophon", escaped(fmt::format("Written by qbitopt {} on {}.{}", options.version,
                                                  now(), refresh))},
                 {"data", json_for_page(data)},
                 {"script", script}});
}

}  // namespace qbitopt
