#include "qbitopt/sweep/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <limits>
#include <map>
#include <regex>
#include <sstream>

#include "qbitopt/core/encoding.h"
#include "qbitopt/core/names.h"

namespace qbitopt {
namespace {

constexpr size_t kMaximumNodes = 1'000'000;  // aliases can ask for far more than was written

std::vector<std::string> split_lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    lines.push_back(line);
  }
  return lines;
}

// Builds the tree from the parser's events; these, unlike yaml-cpp's own tree, have a place for
// every value, tell plain scalars from quoted ones and show a key that stands twice.
class TreeBuilder : public YAML::EventHandler {
 public:
  explicit TreeBuilder(Place origin) : origin_(std::move(origin)) {}

  YamlNode take_root() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(YamlNode{.place = place_of(mark)}, anchor);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    YamlNode node{.place = place_of(mark)};
    if (tag == "?") {
      node.scalar = core_schema_scalar(text);
    } else if (tag == "!" || tag == "tag:yaml.org,2002:str") {
      node.scalar = text;
    } else {
      fail_at(node.place, "unknown tag '" + tag + "'; only !!str is understood");
    }
    key_text_ = text;
    add(std::move(node), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto anchored = anchors_.find(anchor);
    if (anchored == anchors_.end())
      fail_at(place_of(mark), "an alias inside the value that it repeats");
    aliased_nodes_ += size(anchored->second);
    if (aliased_nodes_ > kMaximumNodes)
      fail_at(place_of(mark), "aliases repeat more than a million values");
    key_text_ = anchored->second.is_scalar() && anchored->second.scalar.is_string()
                    ? anchored->second.scalar
                    : "";
    add(anchored->second, 0);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open_.push_back({YamlNode{.kind = YamlNode::Kind::kList, .place = place_of(mark)}, anchor});
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open_.push_back({YamlNode{.kind = YamlNode::Kind::kMap, .place = place_of(mark)}, anchor});
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    YamlNode node;
    YAML::anchor_t anchor = 0;
    bool awaits_value = false;  // a map whose last entry has only its key yet
  };

  Place place_of(const YAML::Mark& mark) const {
    const int column = mark.column + 1 + (mark.line == 0 ? std::max(origin_.column, 1) - 1 : 0);
    return {origin_.source, std::max(origin_.line, 1) + mark.line, column};
  }

  void close() {
    Open done = std::move(open_.back());
    open_.pop_back();
    add(std::move(done.node), done.anchor);
  }

  void add(YamlNode node, YAML::anchor_t anchor) {
    if (anchor != 0) anchors_[anchor] = node;
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.is_list()) {
      parent.node.items.push_back(std::move(node));
    } else if (parent.awaits_value) {
      parent.node.entries.back().value = std::move(node);
      parent.awaits_value = false;
    } else {
      add_key(parent, node);
    }
  }

  void add_key(Open& map, const YamlNode& node) {
    if (!node.is_scalar()) fail_at(node.place, "a key must be a plain word, found " + node.found());
    const std::string key = node.is_null() ? "" : key_text_;
    for (const YamlNode::Entry& entry : map.node.entries) {
      if (entry.key != key) continue;
      fail_at(node.place,
              "key '" + key + "' stands twice; first in line " + std::to_string(entry.place.line));
    }
    map.node.entries.push_back({key, node.place, YamlNode{.place = node.place}});
    map.awaits_value = true;
  }

  static size_t size(const YamlNode& node) {
    size_t size = 1;
    for (const YamlNode& item : node.items) size += TreeBuilder::size(item);
    for (const YamlNode::Entry& entry : node.entries) size += TreeBuilder::size(entry.value);
    return size;
  }

  Place origin_;
  YamlNode root_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, YamlNode> anchors_;
  std::string key_text_;  // the last scalar as it was written
  size_t aliased_nodes_ = 0;
};

}  // namespace

std::string location_text(const Place& place) {
  return place.source ? Location{place.source->name, place.line, place.column}.text() : "";
}

std::string message_at(const Place& place, const std::string& message) {
  if (!place.source) return message;
  std::string text = location_text(place) + ": " + message;
  const size_t line = static_cast<size_t>(place.line);
  if (line < 1 || line > place.source->lines.size()) return text;
  const std::string& source_line = place.source->lines[line - 1];
  text += "\n  " + source_line + "\n  ";
  for (int i = 0; i + 1 < place.column; ++i) {
    // A tab stays a tab, so that the caret stands under its column.
    text += static_cast<size_t>(i) < source_line.size() && source_line[i] == '\t' ? '\t' : ' ';
  }
  return text + "^";
}

void fail_at(const Place& place, const std::string& message) {
  throw InputError(message_at(place, message));
}

const YamlNode* YamlNode::find(std::string_view key) const {
  for (const Entry& entry : entries) {
    if (entry.key == key) return &entry.value;
  }
  return nullptr;
}

Json YamlNode::json() const {
  if (is_list()) {
    Json list = Json::array();
    for (const YamlNode& item : items) list.push_back(item.json());
    return list;
  }
  if (is_map()) {
    Json map = Json::object();
    for (const Entry& entry : entries) map[entry.key] = entry.value.json();
    return map;
  }
  return scalar;
}

std::string YamlNode::found() const {
  if (is_list()) return "a list";
  if (is_map()) return "a map";
  if (scalar.is_null()) return "nothing";
  if (scalar.is_string()) return "the text '" + scalar.get<std::string>() + "'";
  if (scalar.is_boolean()) return scalar.dump();
  return "the number " + scalar.dump();
}

void expect_keys(const YamlNode& node, const std::string& what,
                 const std::vector<std::string>& known) {
  if (!node.is_map()) fail_at(node.place, what + " must be a map, found " + node.found());
  for (const YamlNode::Entry& entry : node.entries) {
    if (std::find(known.begin(), known.end(), entry.key) != known.end()) continue;
    const std::string near = nearest_name(entry.key, known);
    std::string message = "unknown key '" + entry.key + "' in " + what;
    if (!near.empty()) message += ", did you mean '" + near + "'?";
    message += "; known keys:";
    for (const std::string& key : known) message += (key == known.front() ? " " : ", ") + key;
    fail_at(entry.place, message);
  }
}

std::string expect_text(const YamlNode& node, const std::string& what) {
  if (!node.is_scalar() || !node.scalar.is_string())
    fail_at(node.place, what + " must be a text, found " + node.found());
  return node.scalar.get<std::string>();
}

int64_t expect_int(const YamlNode& node, const std::string& what) {
  if (!node.is_scalar() || !node.scalar.is_number_integer()) {
    fail_at(node.place, what + " must be a whole number, found " + node.found());
  }
  return node.scalar.get<int64_t>();
}

double expect_number(const YamlNode& node, const std::string& what) {
  if (!node.is_scalar() || !node.scalar.is_number() || !std::isfinite(node.scalar.get<double>())) {
    fail_at(node.place, what + " must be a number, found " + node.found());
  }
  return node.scalar.get<double>();
}

bool expect_bool(const YamlNode& node, const std::string& what) {
  if (!node.is_scalar() || !node.scalar.is_boolean()) {
    fail_at(node.place, what + " must be true or false, found " + node.found());
  }
  return node.scalar.get<bool>();
}

std::vector<std::string> expect_texts(const YamlNode& node, const std::string& what) {
  if (!node.is_list()) return {expect_text(node, what)};
  std::vector<std::string> texts;
  for (const YamlNode& item : node.items) texts.push_back(expect_text(item, what));
  return texts;
}

namespace {

// By the one library here that looks at the bytes of a text.
bool is_utf8(const std::string& text) {
  try {
    Json(text).dump();
    return true;
  } catch (const Json::type_error&) {
    return false;
  }
}

void expect_utf8(const Place& place, const std::string& text) {
  if (is_utf8(text)) return;
  const std::vector<std::string> lines = split_lines(text);
  const auto bad = std::find_if_not(lines.begin(), lines.end(), is_utf8);
  fail_at({place.source, place.line + static_cast<int>(bad - lines.begin()), 1},
          "this line is not UTF-8; save the file as UTF-8");
}

}  // namespace

YamlNode parse_yaml(const std::string& source_name, const std::string& text) {
  const auto source = std::make_shared<SourceText>(SourceText{source_name, split_lines(text)});
  return parse_yaml_at({source, 1, 1}, text);
}

YamlNode parse_yaml_at(const Place& place, const std::string& text) {
  expect_utf8(place, text);
  TreeBuilder builder(place);
  std::istringstream stream(text);
  try {
    YAML::Parser parser(stream);
    if (!parser.HandleNextDocument(builder)) {
      return YamlNode{.kind = YamlNode::Kind::kMap, .place = {place.source, 1, 1}};
    }
    YamlNode root = builder.take_root();
    TreeBuilder rest(place);
    if (parser.HandleNextDocument(rest)) {
      fail_at(rest.take_root().place, "a second YAML document; one file holds one");
    }
    return root;
  } catch (const YAML::ParserException& error) {
    const int column = error.mark.column + (error.mark.line == 0 ? place.column : 1);
    fail_at({place.source, place.line + error.mark.line, column}, "not YAML: " + error.msg);
  }
}

std::string read_text(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  // A folder opens, but cannot be read.
  if (!stream || std::filesystem::is_directory(file) || !(text << stream.rdbuf(), stream)) {
    const std::string why =
        std::filesystem::is_directory(file) ? "it is a folder" : std::strerror(errno);
    throw InputError("cannot read " + file.string() + ": " + why);
  }
  expect_utf8(text.str(), file.string());
  return text.str();
}

Json core_schema_scalar(const std::string& text) {
  static const std::regex integer("[-+]?[0-9]+");
  static const std::regex number("[-+]?(\\.[0-9]+|[0-9]+(\\.[0-9]*)?)([eE][-+]?[0-9]+)?");
  static const std::regex prefixed("0o[0-7]+|0x[0-9a-fA-F]+");
  constexpr size_t kLongestNumber = 400;  // std::regex recurses once a character
  if (text.size() > kLongestNumber) return text;
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL")
    return nullptr;
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  if (text == ".nan" || text == ".NaN" || text == ".NAN")
    return std::numeric_limits<double>::quiet_NaN();
  const bool is_negative = text[0] == '-';
  const std::string magnitude = text.substr(is_negative || text[0] == '+');
  if (magnitude == ".inf" || magnitude == ".Inf" || magnitude == ".INF") {
    const double infinity = std::numeric_limits<double>::infinity();
    return is_negative ? -infinity : infinity;
  }
  if (std::regex_match(text, prefixed)) {
    int64_t value = 0;
    const int base = text[1] == 'o' ? 8 : 16;
    const auto result = std::from_chars(text.data() + 2, text.data() + text.size(), value, base);
    if (result.ec == std::errc()) return value;
    return text;
  }
  if (std::regex_match(text, integer)) {
    int64_t value = 0;
    const std::string digits = is_negative ? text : magnitude;
    const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (result.ec == std::errc()) return value;
  }
  if (std::regex_match(text, number)) {
    return std::strtod(text.c_str(), nullptr);
  }
  return text;
}

}  // namespace qbitopt
