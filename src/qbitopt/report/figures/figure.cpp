#include "qbitopt/report/figures/figure.h"

#include <map>

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

Json spec_with(const FigureDefinition& figure, const Rows& rows, const SeriesStyles& styles) {
  if (rows.empty()) return {};
  Json spec = figure.spec;
  spec["config"] = common_look();
  if (figure.spec.contains("config")) spec["config"].merge_patch(figure.spec["config"]);
  spec["datasets"]["rows"] = records(rows, styles);
  return spec;
}

std::string dumped(const Json& spec, int indentation = -1) {
  return spec.dump(indentation, ' ', false, Json::error_handler_t::replace);
}

// Draws the specifications that are not null.
std::vector<Drawing> drawings_of(const std::vector<Json>& specs, const std::string& format) {
  std::vector<std::string> texts;
  for (const Json& spec : specs) {
    if (!spec.is_null()) texts.push_back(dumped(spec));
  }
  std::vector<Drawing> drawings(specs.size());
  if (texts.empty()) return drawings;
  const std::vector<Drawing> drawn = draw_specs(texts, format);
  size_t next = 0;
  for (size_t i = 0; i < specs.size(); ++i) {
    if (!specs[i].is_null()) drawings[i] = drawn[next++];
  }
  return drawings;
}

}  // namespace

FigureFormat figure_format(const std::string& name) {
  static const std::map<std::string, FigureFormat> known = {{"svg", FigureFormat::kSvg},
                                                            {"pdf", FigureFormat::kPdf},
                                                            {"png", FigureFormat::kPng},
                                                            {"json", FigureFormat::kJson},
                                                            {"csv", FigureFormat::kCsv}};
  const auto found = known.find(name);
  if (found == known.end())
    throw InputError(unknown_name("format", name, {"svg", "pdf", "png", "json", "csv"}));
  return found->second;
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
  const SeriesStyles styles = styles_of(reader);
  std::vector<std::string> files;
  std::vector<Json> specs;
  for (const FigureDefinition& figure : figures) {
    const Rows rows = rows_of(reader, figure, sweep);
    specs.push_back(spec_with(figure, rows, styles));
    files.push_back(rows.empty()                   ? ""
                    : format == FigureFormat::kCsv ? write_rows(rows, RowsFormat::kCsv)
                                                   : dumped(specs.back(), 1) + "\n");
  }
  if (!drawn.count(format)) return files;
  const std::vector<Drawing> drawings = drawings_of(specs, drawn.at(format));
  for (size_t i = 0; i < figures.size(); ++i) {
    if (!drawings[i].error.empty())
      throw InputError(
          "figure " + figures[i].name + " cannot be drawn: " + drawings[i].error +
          "\nhttps://vega.github.io/editor marks mistakes in what --format json writes");
    files[i] = drawings[i].bytes;
  }
  return files;
}

std::vector<PageFigure> figures_for_page(const Reader& reader,
                                         const std::vector<FigureDefinition>& figures,
                                         const std::optional<std::string>& sweep) {
  const SeriesStyles styles = styles_of(reader);
  std::vector<PageFigure> page(figures.size());
  std::vector<Json> specs(figures.size());
  for (size_t i = 0; i < figures.size(); ++i) {
    try {
      const Rows rows = rows_of(reader, figures[i], sweep);
      if (rows.empty()) continue;
      specs[i] = spec_with(figures[i], rows, styles);
      specs[i].erase("title");
      page[i].csv = write_rows(rows, RowsFormat::kCsv);
    } catch (const std::exception& error) {
      page[i].error = error.what();
    }
  }
  const std::vector<Drawing> drawings = drawings_of(specs, "page");
  for (size_t i = 0; i < figures.size(); ++i) {
    page[i].svg = drawings[i].bytes;
    if (page[i].error.empty()) page[i].error = drawings[i].error;
  }
  return page;
}

}  // namespace qbitopt
