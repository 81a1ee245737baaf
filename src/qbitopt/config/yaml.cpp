#include "qbitopt/config/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <map>
#include <regex>
#include <sstream>
#include <unordered_map>

#include "qbitopt/config/value.h"
#include "qbitopt/core/encoding.h"
#include "qbitopt/core/names.h"
#include "qbitopt/core/shipped_files.h"

namespace qbitopt {
namespace {

// levels, because functions that walk through a value are recursive
constexpr size_t kDeepest = 64;
constexpr size_t kLongestKey = 1024;  // bytes, as in YAML itself
constexpr size_t kMostRepeated =
    10'000'000;                        // bytes; aliases can ask for far more than was written
constexpr size_t kLongestShown = 160;  // characters of a line, or of a text, in a message
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

std::vector<std::string> split_lines(std::string_view text) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  std::vector<std::string> lines;
  std::istringstream stream{std::string(text)};
  for (std::string line; std::getline(stream, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    lines.push_back(line);
  }
  return lines;
}

// Builds the tree from the parser's events. Unlike yaml-cpp's own tree, the events give the place
// of every value, distinguish plain scalars from quoted ones, and show duplicate keys.
class TreeBuilder : public YAML::EventHandler {
 public:
  explicit TreeBuilder(Place origin) : origin_(std::move(origin)) {}

  YamlNode take_root() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(YamlNode{.place = place_of_null(place_of(mark))}, anchor);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    YamlNode node{.place = place_of(mark)};
    if (tag == "?") {
      node.scalar = core_schema_scalar(text);
    } else if (tag == "!" || tag == "tag:yaml.org,2002:str") {
      node.scalar = text;
    } else {
      fail_at(node.place, "unknown tag '" + tag + "'; the only known tag is !!str");
    }
    key_text_ = text;
    is_plain_ = tag == "?";
    add(std::move(node), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto anchored = anchors_.find(anchor);
    if (anchored == anchors_.end())
      fail_at(
          place_of(mark),
          "this alias is inside the value that it repeats; move the anchor or write the value out");
    const Extent extent = extent_of(anchored->second);
    count_repeated(extent.bytes, place_of(mark));
    if (open_.size() + extent.depth > kDeepest) fail_too_deep(place_of(mark));
    is_plain_ = false;
    key_text_ = anchored->second.is_scalar() && anchored->second.scalar.is_string()
                    ? anchored->second.scalar
                    : "";
    add(anchored->second, 0);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(YamlNode{.kind = YamlNode::Kind::kList, .place = place_of(mark)}, anchor);
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(YamlNode{.kind = YamlNode::Kind::kMap, .place = place_of(mark)}, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    YamlNode node;
    YAML::anchor_t anchor = 0;
    bool awaits_value = false;                        // a map whose last entry has only its key yet
    std::unordered_map<std::string, int> lines = {};  // key -> where it stands
    std::optional<size_t> merge = {};                 // position of `<<`
  };
  struct Extent {
    size_t bytes = 0;
    size_t depth = 0;
  };

  [[noreturn]] static void fail_too_deep(const Place& place) {
    fail_at(place, "nested more than " + std::to_string(kDeepest) + " levels deep");
  }

  Place place_of(const YAML::Mark& mark) const {
    const int column = mark.column + 1 + (mark.line == 0 ? std::max(origin_.column, 1) - 1 : 0);
    return {origin_.source, std::max(origin_.line, 1) + mark.line, column};
  }

  // A missing value has no place of its own: the parser gives the place of the next token.
  Place place_of_null(const Place& next) const {
    const auto& lines = origin_.source->lines;
    const auto line_at = [&](int line) -> const std::string& {
      static const std::string none;
      return line >= 1 && line <= static_cast<int>(lines.size())
                 ? lines[static_cast<size_t>(line) - 1]
                 : none;
    };
    const auto column = static_cast<size_t>(next.column) - 1;
    const std::string& line = line_at(next.line);
    if (open_.empty()) return next;
    const size_t end = std::min(line.find_first_of(" \t,]}#", column), line.size());
    for (const char* null : {"~", "null", "Null", "NULL"}) {
      if (column < line.size() && line.substr(column, end - column) == null) return next;
    }
    if (open_.back().awaits_value) return open_.back().node.entries.back().place;
    for (int above = std::min<int>(next.line, static_cast<int>(lines.size())); above >= 1;
         --above) {
      const std::string text =
          line_at(above).substr(0, above == next.line ? column : std::string::npos);
      const size_t start = text.find_first_not_of(" \t");
      if (start == std::string::npos || text[start] == '#') continue;
      const size_t dash = text.rfind('-');
      return dash == std::string::npos ? next
                                       : Place{origin_.source, above, static_cast<int>(dash) + 1};
    }
    return next;
  }

  void open(YamlNode node, YAML::anchor_t anchor) {
    if (open_.size() == kDeepest) fail_too_deep(node.place);
    open_.push_back({.node = std::move(node), .anchor = anchor});
  }

  void close() {
    Open done = std::move(open_.back());
    open_.pop_back();
    if (done.merge) merge(done.node, *done.merge);
    add(std::move(done.node), done.anchor);
  }

  // Replaces `<<` by the keys of the maps that it merges.
  static void merge(YamlNode& map, size_t position) {
    const YamlNode::Entry merge = std::move(map.entries[position]);
    map.entries.erase(map.entries.begin() + static_cast<std::ptrdiff_t>(position));
    std::unordered_map<std::string, bool> taken;
    for (const YamlNode::Entry& entry : map.entries) taken[entry.key] = true;
    std::vector<YamlNode::Entry> merged;
    const std::vector<YamlNode> maps =
        merge.value.is_list() ? merge.value.items : std::vector<YamlNode>{merge.value};
    for (const YamlNode& each : maps) {
      if (!each.is_map()) {
        fail_at(merge.place,
                "'<<' takes over the keys of another map; write <<: *base or <<: "
                "[*first, *second], found " +
                    each.found());
      }
      for (const YamlNode::Entry& entry : each.entries) {
        if (!std::exchange(taken[entry.key], true))
          merged.push_back({entry.key, entry.place, entry.value, /*is_merged=*/true});
      }
    }
    map.entries.insert(map.entries.begin() + static_cast<std::ptrdiff_t>(position),
                       std::make_move_iterator(merged.begin()),
                       std::make_move_iterator(merged.end()));
  }

  void add(YamlNode node, YAML::anchor_t anchor) {
    if (anchor != 0) {
      count_repeated(extent_of(node).bytes, node.place);
      anchors_[anchor] = node;
    }
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
    if (key.size() > kLongestKey)
      fail_at(node.place, "this key has more than " + std::to_string(kLongestKey) + " characters");
    const bool is_merge = key == "<<" && is_plain_;
    const auto [known, is_new] = map.lines.emplace(key, node.place.line);
    if (!is_new) {
      fail_at(node.place,
              "duplicate key '" + key + "', first set in line " + std::to_string(known->second) +
                  (is_merge ? "; to merge several maps write <<: [*first, *second]" : ""));
    }
    if (is_merge) map.merge = map.node.entries.size();
    map.node.entries.push_back({key, node.place, YamlNode{.place = node.place}});
    map.awaits_value = true;
  }

  static Extent extent_of(const YamlNode& node) {
    Extent extent{sizeof(YamlNode) +
                  (node.scalar.is_string() ? node.scalar.get_ref<const std::string&>().size() : 0)};
    const auto take = [&](const YamlNode& below) {
      const Extent inner = extent_of(below);
      extent.bytes += inner.bytes;
      extent.depth = std::max(extent.depth, inner.depth);
    };
    for (const YamlNode& item : node.items) take(item);
    for (const YamlNode::Entry& entry : node.entries) {
      extent.bytes += sizeof(entry) - sizeof(YamlNode) + entry.key.size();
      take(entry.value);
    }
    extent.depth += !node.is_scalar();
    return extent;
  }

  void count_repeated(size_t bytes, const Place& place) {
    repeated_ += bytes;
    if (repeated_ > kMostRepeated) fail_at(place, "anchors and aliases expand to more than 10 MB");
  }

  Place origin_;
  YamlNode root_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, YamlNode> anchors_;
  std::string key_text_;   // the last scalar as it was written
  bool is_plain_ = false;  // without quotes
  size_t repeated_ = 0;    // bytes
};

bool continues_character(char c) { return (c & 0xC0) == 0x80; }

// At most kLongestShown characters from `begin` on, whole ones.
std::string cut(const std::string& text, size_t begin = 0) {
  while (begin < text.size() && continues_character(text[begin])) ++begin;
  size_t end = std::min(text.size(), begin + kLongestShown);
  while (end < text.size() && continues_character(text[end])) ++end;
  return (begin > 0 ? "..." : "") + text.substr(begin, end - begin) +
         (end < text.size() ? "..." : "");
}

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
  // Only the part of a long line around the column is shown.
  const size_t column = static_cast<size_t>(std::max(place.column, 1));
  const size_t begin = source_line.size() > kLongestShown && column > kLongestShown / 2
                           ? column - kLongestShown / 2
                           : 0;
  const std::string shown_line = cut(source_line, begin);
  text += "\n  " + shown_line + "\n  ";
  const size_t before = column - 1 - begin + (begin > 0 ? std::strlen("...") : 0);
  for (size_t i = 0; i < before; ++i) {
    // A tab stays a tab, so that the caret stands under its column.
    text += i < shown_line.size() && shown_line[i] == '\t' ? '\t' : ' ';
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
  if (scalar.is_string()) return "the string '" + cut(scalar.get<std::string>()) + "'";
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
    fail_at(node.place, what + " must be a string, found " + node.found());
  return node.scalar.get<std::string>();
}

int64_t expect_int(const YamlNode& node, const std::string& what) {
  const std::optional<int64_t> number = node.is_scalar() ? whole_number(node.scalar) : std::nullopt;
  if (!number) fail_at(node.place, what + " must be a whole number, found " + node.found());
  return *number;
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

// The prefix of a path to a file that is installed with the program.
constexpr const char* kShipped = "qbitopt/";

std::filesystem::path expect_path(const YamlNode& node, const std::string& what,
                                  const std::filesystem::path& folder) {
  const std::string text = expect_text(node, what);
  try {
    const std::filesystem::path path = folder / with_home(text);
    if (!text.starts_with(kShipped) || std::filesystem::exists(path)) return path;
    return shipped_folder() / text.substr(std::string(kShipped).size());
  } catch (const InputError& error) {
    fail_at(node.place, error.what());
  }
}

namespace {

// Controls beyond ASCII (C1), marks without width, separators of lines and changes of direction, in
// UTF-8.
bool holds_unseen(const std::string& text) {
  const auto byte = [&](size_t i) -> int {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0;
  };
  const auto is_between = [](int low, int value, int high) {
    return low <= value && value <= high;
  };
  for (size_t i = 0; i < text.size(); ++i) {
    const int first = byte(i), second = byte(i + 1), third = byte(i + 2);
    if (first == 0xc2 && is_between(0x80, second, 0x9f)) return true;
    if (first == 0xe2 && second == 0x80 &&
        (is_between(0x8b, third, 0x8f) || is_between(0xa8, third, 0xae)))
      return true;
    if (first == 0xe2 && second == 0x81 && is_between(0xa0, third, 0xaf)) return true;
    if (first == 0xef && second == 0xbb && third == 0xbf) return true;  // byte order mark
  }
  return false;
}

}  // namespace

void expect_name(const Place& place, const std::string& what, const std::string& name) {
  constexpr size_t kLongest = 200;  // bytes; a file's name has 255
  const auto is_control = [](unsigned char c) { return c < ' ' || c == 0x7f; };
  const auto refuse = [&](const std::string& why) { fail_at(place, what + " " + why); };
  if (name.empty()) refuse("is empty");
  if (name.size() > kLongest) refuse("has more than " + std::to_string(kLongest) + " characters");
  if (std::any_of(name.begin(), name.end(), is_control) || holds_unseen(name))
    refuse("contains a control character, such as a line break");
  if (name.find_first_of("/\\") != std::string::npos)
    refuse("contains a slash, but files are named after it; write '-' instead");
  if (name.front() == ' ' || name.back() == ' ') refuse("begins or ends with a space");
  if (name.front() == '-' || name.front() == '.')
    refuse(std::string("begins with '") + name.front() + "', as options and hidden files do");
}

std::vector<std::string> expect_texts(const YamlNode& node, const std::string& what) {
  if (!node.is_list()) return {expect_text(node, what)};
  std::vector<std::string> texts;
  for (const YamlNode& item : node.items) texts.push_back(expect_text(item, what));
  return texts;
}

YamlNode parse_yaml(const std::string& source_name, const std::string& text) {
  const auto source = std::make_shared<SourceText>(SourceText{source_name, split_lines(text)});
  return parse_yaml_at({source, 1, 1}, text);
}

YamlNode parse_yaml_at(const Place& place, const std::string& text) {
  expect_utf8(text, place.source->name);
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
  } catch (const YAML::Exception& error) {
    const int column = error.mark.column + (error.mark.line == 0 ? place.column : 1);
    const Place at = {place.source, place.line + error.mark.line, column};
    const auto line = static_cast<size_t>(at.line);
    const bool mentions = line >= 1 && line <= place.source->lines.size() &&
                          place.source->lines[line - 1].find("${") != std::string::npos;
    fail_at(at, "not YAML: " + error.msg +
                    (mentions ? "; within { } and [ ] write \"${...}\" with quotes" : ""));
  }
}

Place place_in_text(const YamlNode& text, size_t offset) {
  if (!text.place.source || !text.scalar.is_string()) return text.place;
  const auto& lines = text.place.source->lines;
  size_t line = static_cast<size_t>(text.place.line) - 1;
  if (line >= lines.size()) return text.place;
  size_t at = 0;  // byte in the line
  for (int column = 1; column < text.place.column && at < lines[line].size(); ++column) {
    do ++at;
    while (at < lines[line].size() && continues_character(lines[line][at]));
  }
  const auto skip_space = [&] {
    while (line < lines.size() && (at >= lines[line].size() ||
                                   std::isspace(static_cast<unsigned char>(lines[line][at])))) {
      if (at++ < lines[line].size()) continue;
      if (line + 1 == lines.size()) return;
      ++line;
      at = 0;
    }
  };
  const auto next = [&]() -> char { return at < lines[line].size() ? lines[line][at] : '\0'; };
  while (next() == '&' || next() == '!') {  // an anchor, a tag
    at = std::min(lines[line].find_first_of(" \t", at), lines[line].size());
    skip_space();
  }
  const char style = next();
  if (style == '>' || style == '|') {
    at = lines[line].size();
  } else if (style == '"' || style == '\'') {
    ++at;
  }
  const std::string& value = text.scalar.get_ref<const std::string&>();
  for (size_t i = 0; i < std::min(offset, value.size()); ++i) {
    if (std::isspace(static_cast<unsigned char>(value[i]))) continue;
    skip_space();
    const bool is_escape = (style == '"' && next() == '\\') || (style == '\'' && next() == '\'');
    at += is_escape ? 2 : 1;
  }
  if (offset < value.size()) skip_space();
  const auto column = std::count_if(
      lines[line].begin(),
      lines[line].begin() + static_cast<std::ptrdiff_t>(std::min(at, lines[line].size())),
      [](char c) { return !continues_character(c); });
  return {text.place.source, static_cast<int>(line) + 1, static_cast<int>(column) + 1};
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
  if (text.find_first_of("0123456789") == std::string::npos) return text;
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
