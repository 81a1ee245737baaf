#include "qbitopt/allocation/cost_table.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <map>
#include <optional>
#include <unordered_map>

#include "qbitopt/allocation/csv.h"
#include "qbitopt/core/encoding.h"
#include "qbitopt/core/error.h"
#include "qbitopt/core/names.h"
#include "qbitopt/core/quantities.h"

namespace qbitopt {
namespace {

enum Column { kQuantizer, kGroup, kWeight, kBits, kCost, kLayer, kMacs, kColumns };
const std::array<std::string, kColumns> kNames = {"quantizer", "group", "weight", "bits",
                                                  "cost",      "layer", "macs"};
constexpr int kNeeded = kLayer;
const char* const kHeader = "quantizer,group,weight,bits,cost";

std::string quote(std::string_view text) { return "'" + std::string(text) + "'"; }

// Any number that from_chars takes, "inf" and "nan" included; beyond the range of double: infinity
// or 0.
std::optional<double> real(const std::string& text) {
  const char* const last = text.data() + text.size();
  const bool is_signed = text.starts_with('+') && !text.starts_with("+-");
  const char* const first = text.data() + is_signed;
  double value = 0;
  const auto [end, error] = std::from_chars(first, last, value);
  if (error == std::errc::invalid_argument || end != last) return std::nullopt;
  if (error == std::errc::result_out_of_range) return std::strtod(first, nullptr);
  return value;
}

class TableParser {
 public:
  TableParser(std::string_view csv, const std::string& file) : reader_(csv, file), file_(file) {}

  AllocationTable parse() {
    read_header();
    while (reader_.next(cells_)) read_row();
    if (table_.quantizers.empty()) {
      throw InputError({file_},
                       "no rows below the header; expected one per quantizer and candidate");
    }
    for (size_t q = 0; q < origins_.size(); ++q) finish(table_.quantizers[q], origins_[q]);
    if (table_.has_layers) pair_layers();
    return std::move(table_);
  }

 private:
  struct Choice {
    int bits;
    double cost;
    int line;
  };
  // A quantizer's first row, and all of its candidates.
  struct Origin {
    int line;
    int group;
    std::string layer, macs;
    std::vector<Choice> choices;
  };
  struct Layer {
    int line;
    std::string name;
    std::vector<int> quantizers;
    std::optional<int64_t> macs;
  };

  [[noreturn]] void fail(Column column, const std::string& message) const {
    throw InputError(reader_.place(cells_[place_[column]].column), message);
  }
  const std::string& text(Column column) const { return cells_[place_[column]].text; }
  bool has(Column column) const { return place_[column] >= 0; }
  // As the digits of a whole number, if it is one: "864.0" is 864.
  std::string macs() const {
    if (!has(kMacs)) return "";
    const auto count = parse_whole(text(kMacs));
    return count ? std::to_string(*count) : text(kMacs);
  }

  void read_header();
  void read_row();
  int group(const std::string& name);
  void check_same(const AllocationQuantizer& quantizer, const Origin& origin, int64_t weight,
                  int group);
  void finish(AllocationQuantizer& quantizer, Origin& origin);
  void pair_layers();
  void add_to_layer(int quantizer, const std::string& name, std::map<std::string, size_t>& known,
                    std::vector<Layer>& layers);

  CsvReader reader_;
  std::string file_;
  std::vector<CsvReader::Cell> cells_;
  std::array<int, kColumns> place_;  // -1: not there
  size_t width_ = 0;
  AllocationTable table_;
  std::vector<Origin> origins_;  // per quantizer
  std::unordered_map<std::string, int> index_;
  std::map<std::string, int> group_index_;
};

void TableParser::read_header() {
  place_.fill(-1);
  if (!reader_.next(cells_)) {
    throw InputError({file_}, std::string("empty; expected the header ") + kHeader);
  }
  width_ = cells_.size();
  const auto is_known = [](const CsvReader::Cell& cell) {
    return std::find(kNames.begin(), kNames.end(), cell.text) != kNames.end();
  };
  if (std::none_of(cells_.begin(), cells_.end(), is_known)) {
    throw InputError(reader_.place(), std::string("expected the header ") + kHeader + ", found " +
                                          quote(reader_.line_text().substr(0, 60)));
  }
  for (size_t i = 0; i < width_; ++i) {
    if (cells_[i].text.empty()) {
      throw InputError(reader_.place(cells_[i].column),
                       "a column without a name; pandas writes its index so: to_csv(..., "
                       "index=False) leaves it out");
    }
    const auto found = std::find(kNames.begin(), kNames.end(), cells_[i].text);
    const Location where = reader_.place(cells_[i].column);
    if (found == kNames.end()) {
      throw InputError(where,
                       unknown_name("column", cells_[i].text, {kNames.begin(), kNames.end()}));
    }
    int& place = place_[found - kNames.begin()];
    if (place >= 0) throw InputError(where, "column " + quote(*found) + " is there twice");
    place = static_cast<int>(i);
  }
  for (int column = 0; column < kNeeded; ++column) {
    if (place_[column] >= 0) continue;
    throw InputError(reader_.place(),
                     "column " + quote(kNames[column]) + " is missing; expected " + kHeader);
  }
  if (has(kLayer) != has(kMacs)) {
    throw InputError(reader_.place(), "columns 'layer' and 'macs' need each other; column " +
                                          quote(kNames[has(kLayer) ? kMacs : kLayer]) +
                                          " is missing");
  }
  table_.has_layers = has(kLayer);
}

int TableParser::group(const std::string& name) {
  if (name.empty()) fail(kGroup, "the group is empty");
  if (name == "all") {
    fail(kGroup, "a group cannot be called 'all': in a budget that means all groups");
  }
  const auto [found, is_new] = group_index_.try_emplace(name, table_.groups.size());
  if (is_new) table_.groups.push_back({name, {}});
  return found->second;
}

void TableParser::read_row() {
  if (cells_.size() != width_) {
    throw InputError(reader_.place(), std::to_string(cells_.size()) + " values; the header names " +
                                          std::to_string(width_) + " columns");
  }
  const std::string& name = text(kQuantizer);
  if (name.empty()) fail(kQuantizer, "the quantizer has no name");

  const std::optional<int64_t> weight = parse_whole(text(kWeight));
  if (!weight) {
    fail(kWeight, "weight " + quote(text(kWeight)) +
                      " is not a whole number; expected elements, 1 or MACs, up to 2^62");
  }
  if (*weight < 0) fail(kWeight, "weight " + text(kWeight) + " is negative");
  const std::optional<int> bits = parse_count(text(kBits), 1, 64);
  if (!bits) {
    fail(kBits, quote(text(kBits)) + " bits; expected a whole number from 1 to 64");
  }
  const std::optional<double> cost = real(text(kCost));
  if (!cost) {
    fail(kCost, "cost " + quote(text(kCost)) +
                    " is not a number; expected one, or inf for a forbidden candidate");
  }
  if (std::isnan(*cost)) {
    fail(kCost, "the cost of '" + name + "' at " + text(kBits) +
                    " bits is NaN; write inf to forbid the candidate, or leave the row out");
  }
  if (std::isinf(*cost) && *cost < 0) fail(kCost, "a cost cannot be minus infinity");
  if (std::isinf(*cost) && text(kCost).find_first_of("0123456789") != std::string::npos) {
    fail(kCost,
         "cost " + quote(text(kCost)) + " is too large for a double; write inf to forbid it");
  }

  const int in_group = group(text(kGroup));
  const auto [found, is_new] = index_.try_emplace(name, origins_.size());
  if (is_new) {
    table_.groups[in_group].members.push_back(found->second);
    table_.quantizers.push_back({name, *weight, {}, {}});
    origins_.push_back(
        {reader_.place().line, in_group, has(kLayer) ? text(kLayer) : "", macs(), {}});
  } else {
    check_same(table_.quantizers[found->second], origins_[found->second], *weight, in_group);
  }
  Origin& origin = origins_[found->second];
  for (const Choice& choice : origin.choices) {
    if (choice.bits != *bits) continue;
    fail(kBits, quote(name) + " at " + text(kBits) + " bits is in line " +
                    std::to_string(choice.line) + " already");
  }
  origin.choices.push_back({*bits, *cost, reader_.place().line});
}

void TableParser::check_same(const AllocationQuantizer& quantizer, const Origin& origin,
                             int64_t weight, int group) {
  const auto differs = [&](Column column, const std::string& first) {
    fail(column, kNames[column] + " " + quote(text(column)) + " of " + quote(quantizer.name) +
                     " differs from line " + std::to_string(origin.line) + ": " + quote(first));
  };
  if (weight != quantizer.weight) differs(kWeight, std::to_string(quantizer.weight));
  if (group != origin.group) differs(kGroup, table_.groups[origin.group].name);
  if (has(kLayer) && text(kLayer) != origin.layer) differs(kLayer, origin.layer);
  if (macs() != origin.macs) differs(kMacs, origin.macs);
}

void TableParser::finish(AllocationQuantizer& quantizer, Origin& origin) {
  std::vector<Choice>& choices = origin.choices;
  if (std::all_of(choices.begin(), choices.end(),
                  [](const Choice& choice) { return std::isinf(choice.cost); })) {
    throw InputError({file_, origin.line},
                     "quantizer " + quote(quantizer.name) + " has no choices: every cost is inf");
  }
  std::sort(choices.begin(), choices.end(),
            [](const Choice& a, const Choice& b) { return a.bits < b.bits; });
  for (const Choice& choice : choices) {
    quantizer.bits.push_back(choice.bits);
    quantizer.costs.push_back(choice.cost);
  }
}

void TableParser::add_to_layer(int quantizer, const std::string& name,
                               std::map<std::string, size_t>& known, std::vector<Layer>& layers) {
  const int line = origins_[quantizer].line;
  if (name.empty()) throw InputError({file_, line}, "a layer has no name");
  const auto [found, is_new] = known.try_emplace(name, layers.size());
  if (is_new) layers.push_back({line, name, {}, std::nullopt});
  Layer& layer = layers[found->second];
  layer.quantizers.push_back(quantizer);
  const std::vector<int>& members = layer.quantizers;
  const bool is_twice = members.size() == 2 && members[0] == members[1];
  if (is_twice || members.size() > 2) {
    const auto name_of = [&](size_t i) { return quote(table_.quantizers[members[i]].name); };
    throw InputError({file_, line},
                     "layer " + quote(name) + " names " +
                         (is_twice ? name_of(0) + " twice"
                                   : name_of(2) + " besides " + name_of(0) + " and " + name_of(1)) +
                         "; expected its weight and its input");
  }
  const std::string& macs = origins_[quantizer].macs;
  if (macs.empty()) return;
  const std::optional<int64_t> count = parse_whole(macs);
  if (!count || *count < 0) {
    throw InputError({file_, line}, "macs " + quote(macs) +
                                        " is not a whole number; expected the layer's "
                                        "multiply-accumulates");
  }
  if (layer.macs && *layer.macs != *count) {
    throw InputError({file_, line}, "layer " + quote(name) + " has " + macs + " macs here and " +
                                        std::to_string(*layer.macs) + " in line " +
                                        std::to_string(layer.line));
  }
  layer.macs = count;
}

void TableParser::pair_layers() {
  std::map<std::string, size_t> known;
  std::vector<Layer> layers;
  for (size_t q = 0; q < origins_.size(); ++q) {
    const auto& [line, group, names, macs, choices] = origins_[q];
    if (names.empty()) continue;
    if (names.find(';') != std::string::npos && !macs.empty()) {
      throw InputError({file_, line},
                       quote(table_.quantizers[q].name) +
                           " is part of several layers: leave its macs empty, and give "
                           "them with the other quantizer of each");
    }
    for (size_t begin = 0; begin <= names.size();) {
      const size_t end = std::min(names.find(';', begin), names.size());
      add_to_layer(static_cast<int>(q), names.substr(begin, end - begin), known, layers);
      begin = end + 1;
    }
  }
  for (const Layer& layer : layers) {
    if (layer.quantizers.size() < 2) {
      throw InputError({file_, layer.line}, "layer " + quote(layer.name) + " has one quantizer, " +
                                                quote(table_.quantizers[layer.quantizers[0]].name) +
                                                "; expected its weight and its input");
    }
    if (!layer.macs) {
      throw InputError({file_, layer.line}, "layer " + quote(layer.name) + " has no macs");
    }
    table_.layers.push_back({layer.quantizers[0], layer.quantizers[1], *layer.macs});
  }
}

}  // namespace

AllocationTable AllocationTable::parse(std::string_view csv, const std::string& file) {
  expect_utf8(csv, file);
  return TableParser(csv, file).parse();
}

}  // namespace qbitopt
