#include "qbitopt/sweep/point_rows.h"

#include <algorithm>

#include "qbitopt/allocation/csv.h"
#include "qbitopt/core/text_file.h"
#include "qbitopt/sweep/axis.h"
#include "qbitopt/sweep/interpolation.h"

namespace qbitopt {
namespace {

namespace fs = std::filesystem;

// `rows` with what errors need: the file's lines.
class RowsReader {
 public:
  RowsReader(const std::string& file, const std::string& text, const Catalog& catalog)
      : source_(std::make_shared<SourceText>()), csv_(text, file), catalog_(catalog) {
    source_->name = file;
  }

  ZipGroup read() {
    if (!next()) fail_at({source_, 1, 1}, "this file is empty; its first line names the keys");
    ZipGroup group{.name = kRowsGroup, .place = {source_, 1, 1}};
    std::vector<Setting> axes;
    for (const CsvReader::Cell& cell : cells_) axes.push_back(axis(cell, axes));
    while (next()) {
      if (cells_.size() != axes.size()) {
        fail_at(place_of(cells_[std::min(cells_.size() - 1, axes.size())]),
                "expected a value for each of the " + std::to_string(axes.size()) +
                    " keys of the header, found " + std::to_string(cells_.size()));
      }
      if (axes[0].value.items.size() == kMaximumValues)
        fail_at({source_, line(), 1}, "this file has more than a million lines");
      for (size_t i = 0; i < axes.size(); ++i)
        axes[i].value.items.push_back(value(cells_[i], axes[i]));
    }
    if (axes[0].value.items.empty())
      fail_at({source_, 1, 1}, "this file has a header, but no line with values below it");
    for (Setting& setting : axes) group.axes.assign(std::move(setting));
    return group;
  }

 private:
  int line() const { return csv_.place().line; }
  Place place_of(const CsvReader::Cell& cell) const { return {source_, line(), cell.column}; }

  bool next() {
    const bool is_there = csv_.next(cells_);
    if (!is_there) return false;
    source_->lines.resize(static_cast<size_t>(line()));
    source_->lines.back() = csv_.line_text();
    return true;
  }

  Setting axis(const CsvReader::Cell& cell, const std::vector<Setting>& before) const {
    const Place place = place_of(cell);
    if (catalog_.keys().count(cell.text) == 0) fail_at(place, catalog_.unknown_key(cell.text));
    for (const Setting& other : before) {
      if (other.key == cell.text)
        fail_at(place, "key '" + cell.text + "' stands twice in the header");
    }
    return {cell.text, place, YamlNode{.kind = YamlNode::Kind::kList, .place = place}};
  }

  YamlNode value(const CsvReader::Cell& cell, const Setting& axis) const {
    const Place place = place_of(cell);
    const bool is_list = cell.text.starts_with('[') &&
                         catalog_.keys().find(axis.key)->second->type.starts_with("list of ");
    YamlNode node = is_list ? parse_yaml_at(place, cell.text)
                            : YamlNode{.place = place, .scalar = core_schema_scalar(cell.text)};
    resolve_environment(node, /*takes_keys=*/true);
    check_references(node, catalog_);
    return node;
  }

  std::shared_ptr<SourceText> source_;
  CsvReader csv_;
  const Catalog& catalog_;
  std::vector<CsvReader::Cell> cells_;
};

}  // namespace

ZipGroup read_rows(const YamlNode& node, const Catalog& catalog) {
  const fs::path folder =
      node.place.source ? fs::path(node.place.source->name).parent_path() : fs::path();
  const fs::path file = expect_path(node, "rows", folder).lexically_normal();
  std::string text;
  try {
    text = read_text(file, kLargestData);
  } catch (const InputError& error) {
    fail_at(node.place, error.what());
  }
  return RowsReader(file.string(), text, catalog).read();
}

}  // namespace qbitopt
