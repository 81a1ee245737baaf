#include "qbitopt/report/figures/figure.h"

#include <map>
#include <memory>
#include <set>

#include "qbitopt/core/error.h"
#include "qbitopt/core/names.h"
#include "qbitopt/report/figures/style.h"
#include "qbitopt/report/figures/vl_convert.h"
#include "qbitopt/report/rows_format.h"

namespace qbitopt {
namespace {

// Every method of the database, so that a series looks the same in all its figures.
SeriesStyles styles_of(const Reader& reader) {
  std::vector<std::string> methods;
  for (const auto& row : reader.query("SELECT DISTINCT method FROM runs ORDER BY method").rows) {
    if (row.front().is_string()) methods.push_back(row.front());
  }
  return SeriesStyles(methods);
}

Rows rows_of(const Reader& reader, const FigureDefinition& figure,
             const std::optional<std::string>& sweep) {
  std::vector<Json> arguments;
  if (figure.sql.find(":sweep") != std::string::npos)
    arguments.push_back(sweep ? Json(*sweep) : Json());
  return reader.query(figure.sql, arguments);
}

Json records(const Rows& rows, const SeriesStyles& styles) {
  Json records = Json::array();
  for (size_t i = 0; i < rows.size(); ++i) {
    Json record = {{"row", i}};
    for (size_t k = 0; k < rows.columns.size(); ++k) record[rows.columns[k]] = rows.rows[i][k];
    if (record.contains("series") && record["series"].is_string()) {
      const SeriesStyle style = styles.of(record["series"]);
      record["color"] = style.color;
      record["shape"] = style.shape;
    }
    records.push_back(std::move(record));
  }
  return records;
}

// What a specification takes from its rows (`used`), and what its transforms add to them (`made`).
void collect_fields(const Json& spec, std::set<std::string>& used, std::set<std::string>& made) {
  const auto add = [](const Json& names, std::set<std::string>& to) {
    if (names.is_string()) to.insert(names.get<std::string>());
    if (!names.is_array()) return;
    for (const Json& name : names) {
      if (name.is_string()) to.insert(name.get<std::string>());
    }
  };
  if (spec.is_object()) {
    add(spec.value("field", Json()), used);
    add(spec.value("groupby", Json()), used);
    add(spec.value("as", Json()), made);
  }
  if (!spec.is_structured()) return;
  for (const Json& part : spec) collect_fields(part, used, made);
}

// Without this, a name that no row has would give an empty figure.
void expect_fields(const FigureDefinition& figure, const std::vector<std::string>& columns) {
  // Transforms that name their fields themselves.
  for (const char* transform : {"\"pivot\"", "\"fold\"", "\"lookup\"", "\"density\"",
                                "\"regression\"", "\"loess\"", "\"quantile\"", "\"repeat\""}) {
    if (figure.spec.dump().find(transform) != std::string::npos) return;
  }
  std::set<std::string> used;
  std::set<std::string> known = {"row"};
  collect_fields(figure.spec, used, known);
  known.insert(columns.begin(), columns.end());
  if (known.contains("series")) known.insert({"color", "shape"});
  for (const std::string& field : used) {
    if (known.contains(field) || field.find_first_of(".[\\") != std::string::npos) continue;
    throw InputError("figure " + figure.name + ": " +
                     unknown_name("column", field, {known.begin(), known.end()}) +
                     " (of its SQL, or made by its transforms)");
  }
}

Json spec_with(const FigureDefinition& figure, const Rows& rows, const SeriesStyles& styles) {
  if (rows.empty()) return {};
  expect_fields(figure, rows.columns);
  Json spec = figure.spec;
  spec["config"] = common_look();
  if (figure.spec.contains("config")) spec["config"].merge_patch(figure.spec["config"]);
  spec["datasets"]["rows"] = records(rows, styles);
  return spec;
}

std::string dumped(const Json& spec, int indentation = -1) {
  return spec.dump(indentation, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

const std::vector<std::pair<std::string, FigureFormat>>& figure_formats() {
  static const std::vector<std::pair<std::string, FigureFormat>> known = {
      {"svg", FigureFormat::kSvg},
      {"pdf", FigureFormat::kPdf},
      {"png", FigureFormat::kPng},
      {"json", FigureFormat::kJson},
      {"csv", FigureFormat::kCsv}};
  return known;
}

FigureFormat figure_format(const std::string& name) {
  std::vector<std::string> names;
  for (const auto& [known, format] : figure_formats()) {
    if (known == name) return format;
    names.push_back(known);
  }
  throw InputError(unknown_name("format", name, names));
}

Json figure_spec(const Reader& reader, const FigureDefinition& figure,
                 const std::optional<std::string>& sweep) {
  return spec_with(figure, rows_of(reader, figure, sweep), styles_of(reader));
}

std::vector<std::string> draw_figures(const Reader& reader,
                                      const std::vector<FigureDefinition>& figures,
                                      const std::optional<std::string>& sweep,
                                      FigureFormat format) {
  static const std::map<FigureFormat, std::string> drawn = {
      {FigureFormat::kSvg, "svg"}, {FigureFormat::kPdf, "pdf"}, {FigureFormat::kPng, "png"}};
  std::optional<Drawer> drawer;
  if (drawn.count(format)) drawer.emplace(drawn.at(format));
  const SeriesStyles styles = styles_of(reader);
  std::vector<std::string> files(figures.size());
  std::vector<size_t> places;  // of the figures that are drawn
  for (size_t i = 0; i < figures.size(); ++i) {
    const Rows rows = rows_of(reader, figures[i], sweep);
    if (rows.empty()) continue;
    const Json spec = spec_with(figures[i], rows, styles);
    if (drawer) {
      drawer->add(dumped(spec));
      places.push_back(i);
    } else {
      files[i] = format == FigureFormat::kCsv ? write_rows(rows, RowsFormat::kCsv)
                                              : dumped(spec, 1) + "\n";
    }
  }
  if (!drawer) return files;
  const std::vector<Drawing> drawings = drawer->finish();
  for (size_t k = 0; k < places.size(); ++k) {
    if (!drawings[k].error.empty())
      throw InputError(
          "figure " + figures[places[k]].name + " cannot be drawn: " + drawings[k].error +
          "\nhttps://vega.github.io/editor marks mistakes in what --format json writes");
    files[places[k]] = drawings[k].bytes;
  }
  return files;
}

std::future<std::vector<PageFigure>> figures_for_page(const Reader& reader,
                                                      const std::vector<FigureDefinition>& figures,
                                                      const std::optional<std::string>& sweep) {
  auto drawer = std::make_shared<Drawer>("page");
  const SeriesStyles styles = styles_of(reader);
  std::vector<PageFigure> page(figures.size());
  std::vector<size_t> places;  // of the figures that are drawn
  for (size_t i = 0; i < figures.size(); ++i) {
    try {
      const Rows rows = rows_of(reader, figures[i], sweep);
      if (rows.empty()) continue;
      Json spec = spec_with(figures[i], rows, styles);
      spec.erase("title");
      page[i].csv = write_rows(rows, RowsFormat::kCsv);
      drawer->add(dumped(spec));
      places.push_back(i);
    } catch (const std::exception& error) {
      page[i].error = error.what();
    }
  }
  return std::async(std::launch::async, [drawer, places, page = std::move(page)]() mutable {
    const std::vector<Drawing> drawings = drawer->finish();
    for (size_t k = 0; k < places.size(); ++k) {
      page[places[k]].svg = drawings[k].bytes;
      page[places[k]].error = drawings[k].error;
    }
    return std::move(page);
  });
}

}  // namespace qbitopt
