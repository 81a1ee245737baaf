#include "qbitopt/report/figures/definition.h"

#include <algorithm>
#include <filesystem>

#include "qbitopt/core/error.h"
#include "qbitopt/core/names.h"
#include "qbitopt/core/text_file.h"

namespace qbitopt {
namespace {

namespace fs = std::filesystem;

const fs::path kFolder = "plots";
const std::string kEnding = ".vl.json";

std::string without_ending(const fs::path& file) {
  const std::string name = file.filename().string();
  return name.substr(0, name.size() - kEnding.size());
}

std::string_view embedded(const std::vector<EmbeddedFile>& files, const std::string& name) {
  const auto found = std::find_if(files.begin(), files.end(),
                                  [&](const EmbeddedFile& file) { return file.name == name; });
  return found == files.end() ? std::string_view() : found->text;
}

// The specification in a file, or the built-in one of that name if there is no such file.
Json spec_of(const fs::path& file, const std::string& name, int depth = 0) {
  Json spec;
  if (fs::exists(file)) {
    spec = read_json(file);
  } else {
    const std::string_view text = embedded(figure_files(), name);
    if (text.empty())
      throw InputError(unknown_name("figure", name, figure_names()) + " (plots/*.vl.json)");
    spec = Json::parse(std::string(text));
  }
  if (!spec.is_object()) throw InputError(file.string() + ": expected an object of Vega-Lite");
  if (!spec.contains("extends")) return spec;
  if (!spec["extends"].is_string() || depth > 8)
    throw InputError(file.string() +
                     ": 'extends' must name another figure, which does not extend this one");
  const std::string base_name = spec["extends"];
  spec.erase("extends");
  Json base = spec_of(file.parent_path() / (base_name + kEnding), base_name, depth + 1);
  base.merge_patch(spec);
  return base;
}

FigureDefinition definition(const fs::path& file, const std::string& name) {
  FigureDefinition figure;
  figure.name = name;
  figure.spec = spec_of(file, name);
  if (!figure.spec.contains("data"))
    throw InputError(file.string() + R"(: it has no "data": {"name": "rows"})");
  const auto text = [&](const char* key) {
    const Json value = figure.spec.value(key, Json());
    return value.is_string() ? value.get<std::string>() : "";
  };
  figure.title = text("title");
  figure.caption = text("description");
  figure.sql = fs::exists(file) ? read_text(file.parent_path() / (name + ".sql"))
                                : std::string(embedded(figure_queries(), name));
  return figure;
}

}  // namespace

std::vector<std::string> figure_names() {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(kFolder, ignored)) {
    if (entry.path().string().ends_with(kEnding)) names.push_back(without_ending(entry.path()));
  }
  if (names.empty()) {
    for (const EmbeddedFile& file : figure_files()) names.emplace_back(file.name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

FigureDefinition read_figure(const std::string& name_or_path) {
  const fs::path path = name_or_path;
  if (name_or_path.ends_with(kEnding)) {
    if (!fs::exists(path)) throw InputError("there is no file " + name_or_path);
    return definition(path, without_ending(path));
  }
  return definition(kFolder / (name_or_path + kEnding), name_or_path);
}

Json common_look() {
  const fs::path file = kFolder / "look.json";
  return fs::exists(file) ? read_json(file) : Json::parse(std::string(figure_look().front().text));
}

}  // namespace qbitopt
