#include "qbitopt/report/figures/definition.h"

#include <algorithm>

#include "qbitopt/config/yaml.h"
#include "qbitopt/core/error.h"
#include "qbitopt/core/names.h"
#include "qbitopt/core/text_file.h"

namespace qbitopt {
namespace {

namespace fs = std::filesystem;

const fs::path kFolder = "plots";
const std::vector<std::string> kKinds = {"points", "lines", "cells", "strip"};

std::string_view embedded(const std::vector<EmbeddedFile>& files, const std::string& name) {
  const auto found = std::find_if(files.begin(), files.end(),
                                  [&](const EmbeddedFile& file) { return file.name == name; });
  return found == files.end() ? std::string_view() : found->text;
}

std::string text_of(const YamlNode& map, const std::string& key) {
  const YamlNode* node = map.find(key);
  return node == nullptr ? "" : expect_text(*node, key);
}

bool flag_of(const YamlNode& map, const std::string& key) {
  const YamlNode* node = map.find(key);
  return node != nullptr && expect_bool(*node, key);
}

std::optional<double> number_of(const YamlNode& map, const std::string& key) {
  const YamlNode* node = map.find(key);
  return node == nullptr ? std::nullopt : std::optional(expect_number(*node, key));
}

FigureAxis axis_of(const YamlNode& figure, const std::string& key) {
  const YamlNode* node = figure.find(key);
  if (node == nullptr) return {};
  expect_keys(*node, key, {"title", "unit", "log", "from", "to"});
  return {.title = text_of(*node, "title"),
          .unit = text_of(*node, "unit"),
          .is_logarithmic = flag_of(*node, "log"),
          .from = number_of(*node, "from"),
          .to = number_of(*node, "to")};
}

std::string kind_of(const YamlNode& figure) {
  const YamlNode* node = figure.find("kind");
  if (node == nullptr) {
    fail_at(figure.place, "a figure needs a `kind`: points, lines, cells or strip");
  }
  const std::string kind = expect_text(*node, "kind");
  if (std::find(kKinds.begin(), kKinds.end(), kind) == kKinds.end()) {
    fail_at(node->place, unknown_name("figure kind", kind, kKinds));
  }
  return kind;
}

int panels_per_row_of(const YamlNode& figure) {
  const YamlNode* node = figure.find("panels_per_row");
  if (node == nullptr) return 1;
  const int64_t count = expect_int(*node, "panels_per_row");
  if (count < 1 || count > 4) fail_at(node->place, "panels_per_row must be a number from 1 to 4");
  return static_cast<int>(count);
}

FigureDefinition parse(const std::string& source, const std::string& text) {
  const YamlNode figure = parse_yaml(source, text);
  expect_keys(figure, "a figure",
              {"title", "caption", "kind", "x", "y", "value", "connect", "diagonal", "zero",
               "panels_per_row"});
  return {.name = {},
          .title = text_of(figure, "title"),
          .caption = text_of(figure, "caption"),
          .kind = kind_of(figure),
          .x = axis_of(figure, "x"),
          .y = axis_of(figure, "y"),
          .value = axis_of(figure, "value"),
          .connect = flag_of(figure, "connect"),
          .diagonal = flag_of(figure, "diagonal"),
          .zero = flag_of(figure, "zero"),
          .panels_per_row = panels_per_row_of(figure),
          .sql = {}};
}

FigureDefinition from_file(const fs::path& file) {
  FigureDefinition figure = parse(file.string(), read_text(file));
  figure.name = file.stem().string();
  figure.sql = read_text(fs::path(file).replace_extension(".sql"));
  return figure;
}

}  // namespace

std::vector<std::string> figure_names() {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(kFolder, ignored)) {
    if (entry.path().extension() == ".yaml") names.push_back(entry.path().stem().string());
  }
  if (names.empty()) {
    for (const EmbeddedFile& file : figure_files()) names.emplace_back(file.name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

FigureDefinition read_figure(const std::string& name_or_path) {
  const fs::path path = name_or_path;
  if (path.extension() == ".yaml") return from_file(path);
  const fs::path by_name = kFolder / (name_or_path + ".yaml");
  if (path.filename() == path && fs::exists(by_name)) return from_file(by_name);
  const std::string_view text = embedded(figure_files(), name_or_path);
  if (text.empty()) {
    throw InputError(unknown_name("figure", name_or_path, figure_names()) + " (plots/*.yaml)");
  }
  FigureDefinition figure = parse("plots/" + name_or_path + ".yaml", std::string(text));
  figure.name = name_or_path;
  figure.sql = embedded(figure_queries(), name_or_path);
  return figure;
}

}  // namespace qbitopt
