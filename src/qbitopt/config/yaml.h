#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "qbitopt/core/error.h"
#include "qbitopt/core/json.h"

namespace qbitopt {

// Text that the user wrote, kept so that an error can show the line.
struct SourceText {
  std::string name;  // as it stands before ":line:column" in messages
  std::vector<std::string> lines;
};

// A place in a text. line and column count from 1; 0: the text as a whole.
struct Place {
  std::shared_ptr<const SourceText> source;
  int line = 0;
  int column = 0;
};

// "sweeps/quick.yaml:14:12".
std::string location_text(const Place& place);
// "sweeps/quick.yaml:14:12: message", the line and a caret under the column:
//     sweeps/quick.yaml:14:12: unknown key 'budgt'
//       budgt: 3
//       ^
std::string message_at(const Place& place, const std::string& message);
[[noreturn]] void fail_at(const Place& place, const std::string& message);

// A YAML value with the place where it was written. Scalars follow the core schema of YAML 1.2:
// 1e-4 is a number, `no` and `on` are strings. Merge keys are those of YAML 1.1: `<<: *base`, or a
// list of such, takes over the keys that the map does not say itself; of a list the first wins.
struct YamlNode {
  enum class Kind { kScalar, kList, kMap };
  struct Entry;

  Kind kind = Kind::kScalar;
  Place place;
  Json scalar;                  // null, bool, integer, number or string
  std::vector<YamlNode> items;  // of a list
  std::vector<Entry> entries;   // of a map, in the order of the text; keys differ

  bool is_scalar() const { return kind == Kind::kScalar; }
  bool is_list() const { return kind == Kind::kList; }
  bool is_map() const { return kind == Kind::kMap; }
  bool is_null() const { return is_scalar() && scalar.is_null(); }
  // The value of a key of a map; null if there is no such key.
  const YamlNode* find(std::string_view key) const;

  // The value without its places.
  Json json() const;
  // What stands here, for "expected ..., found ...": "the number 3", "the text 'abc'", "a list", "a
  // map", "nothing".
  std::string found() const;
};

struct YamlNode::Entry {
  std::string key;
  Place place;  // of the key
  YamlNode value;
  bool is_merged = false;  // by `<<`
};

// One document; an empty text is an empty map. Throws InputError on what is not YAML or not UTF-8,
// on a key that stands twice in a map, on a key that is not a plain scalar, on tags other than
// !!str, on values nested more than 64 deep, and on aliases that stand for more than 10 MB.
YamlNode parse_yaml(const std::string& source_name, const std::string& text);
// `text` is what is parsed, `place` where its first character stands in a source that exists
// already.
YamlNode parse_yaml_at(const Place& place, const std::string& text);

// The place where a byte of a string was written. The string may be plain, quoted, or a block below
// `>` or `|`.
Place place_in_text(const YamlNode& text, size_t offset);

// Each returns the value if it has this type (3.0 is a whole number, too), and otherwise throws
// InputError: "`what` must be a string, found the number 3".
std::string expect_text(const YamlNode& node, const std::string& what);
int64_t expect_int(const YamlNode& node, const std::string& what);
double expect_number(const YamlNode& node, const std::string& what);  // finite
bool expect_bool(const YamlNode& node, const std::string& what);
std::vector<std::string> expect_texts(const YamlNode& node,
                                      const std::string& what);  // one text, or a list of texts
// A text as a path: `~` is the home folder, a relative one starts at `folder`; qbitopt/... is what
// came with the program, if `folder` has no such file.
std::filesystem::path expect_path(const YamlNode& node, const std::string& what,
                                  const std::filesystem::path& folder);
// Throws InputError if `name`, the name of a sweep or of a part of it, is empty or contains
// characters that do not fit into the name of a file or the line of a table: slashes, control
// characters and the like.
void expect_name(const Place& place, const std::string& what, const std::string& name);
// Throws InputError if `node` is no map, or at a key that is not among `known`, with the nearest.
void expect_keys(const YamlNode& node, const std::string& what,
                 const std::vector<std::string>& known);

// What an untagged plain scalar means in the core schema.
Json core_schema_scalar(const std::string& text);

}  // namespace qbitopt
