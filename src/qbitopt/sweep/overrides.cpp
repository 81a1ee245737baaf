#include "qbitopt/sweep/overrides.h"

#include <algorithm>
#include <cctype>
#include <memory>

#include "qbitopt/core/names.h"
#include "qbitopt/sweep/axis.h"
#include "qbitopt/sweep/interpolation.h"
#include "qbitopt/sweep/point_rows.h"

namespace qbitopt {
namespace {

// The parts between commas that stand outside of brackets, braces and quotes, with their offsets.
std::vector<std::pair<size_t, std::string>> split_values(const std::string& text) {
  std::vector<std::pair<size_t, std::string>> parts;
  size_t start = 0;
  int depth = 0;
  char quote = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote) {
      if (c == quote) quote = 0;
    } else if (c == '\'' || c == '"') {
      quote = c;
    } else if (c == '[' || c == '{') {
      ++depth;
    } else if (c == ']' || c == '}') {
      --depth;
    } else if (c == ',' && depth == 0) {
      parts.emplace_back(start, text.substr(start, i - start));
      start = i + 1;
    }
  }
  parts.emplace_back(start, text.substr(start));
  return parts;
}

std::vector<Block*> blocks_of(Document& document) {
  std::vector<Block*> blocks = {&document.top};
  for (auto& [name, block] : document.cases) blocks.push_back(&block);
  return blocks;
}

// Removes the key from the blocks; true if one had it.
bool forget(const std::vector<Block*>& blocks, const std::string& key) {
  bool found = false;
  for (Block* block : blocks) {
    found |= block->set.erase(key);
    found |= block->grid.erase(key);
    for (ZipGroup& group : block->zip) found |= group.axes.erase(key);
    std::erase_if(block->zip, [](const ZipGroup& group) { return group.axes.empty(); });
    for (Settings& include : block->include) found |= include.erase(key);
    if (key == "seed" && block->seeds) found = true, block->seeds.reset();
  }
  return found;
}

class Override {
 public:
  Override(Document& document, const Catalog& catalog, Place place, const std::string& text)
      : document_(document), catalog_(catalog), place_(std::move(place)), text_(text) {}

  void apply() {
    if (text_[0] == '~') return drop(text_.substr(1));
    const size_t equals = text_.find('=');
    if (equals == std::string::npos) {
      fail_at(
          place_,
          "an override is key=value, key=value,value, +key=value, ++key=value or ~key; found '" +
              text_ + "'");
    }
    const size_t signs = text_.starts_with("++") ? 2 : text_[0] == '+' ? 1 : 0;
    const bool adds = signs == 1;
    const std::string key = text_.substr(signs, equals - signs);
    key_place_ = place_;
    key_place_.column += static_cast<int>(signs);
    if (key.starts_with(kCases)) {
      const auto [target, below] = in_case(key, key_place_);
      if (below == "seeds") {
        if (adds && target->seeds) refuse(key_place_, key, target->seeds->place, key);
        forget({target}, "seed");
        target->seeds = read_plain(equals + 1);
      } else {
        set(below, equals + 1, adds, *target, {target});
      }
    } else if (is_document_key(key)) {
      if (adds) refuse_if_said(key);
      replace(key, read_plain(equals + 1));
    } else {
      set(key, equals + 1, adds, document_.top, blocks_of(document_));
    }
  }

 private:
  static constexpr const char* kCases = "cases.";

  // The block of "cases.fixed.reallocation.tau" and what follows its name, which may have dots.
  std::pair<Block*, std::string> in_case(const std::string& key, const Place& place) const {
    const std::string rest = key.substr(std::string(kCases).size());
    Block* found = nullptr;
    size_t length = 0;
    std::vector<std::string> known;
    for (auto& [name, block] : document_.cases) {
      known.push_back(name);
      if (!rest.starts_with(name + ".") || name.size() < length) continue;
      found = &block;
      length = name.size();
    }
    if (!found) fail_at(place, unknown_name("case", rest.substr(0, rest.find('.')), known));
    return {found, rest.substr(length + 1)};
  }

  // A value that is not one of jobs.
  YamlNode read_plain(size_t start) const {
    YamlNode value = read_value(start);
    resolve_environment(value, /*takes_keys=*/false);
    return value;
  }

  YamlNode read_value(size_t start) const {
    const auto parts = split_values(text_.substr(start));
    refuse_comment(start);
    const auto parse = [&](const std::pair<size_t, std::string>& part) {
      Place place = place_;
      place.column += static_cast<int>(start + part.first);
      YamlNode node = parse_yaml_at(place, part.second);
      return part.second.find_first_not_of(' ') == std::string::npos
                 ? YamlNode{.place = place, .scalar = ""}
                 : node;
    };
    if (parts.size() == 1) return parse(parts[0]);
    YamlNode list{.kind = YamlNode::Kind::kList, .place = place_};
    list.place.column += static_cast<int>(start);
    for (const auto& part : parts) list.items.push_back(parse(part));
    return list;
  }

  // YAML would drop everything after " #".
  void refuse_comment(size_t start) const {
    char quote = 0;
    for (size_t i = start; i < text_.size(); ++i) {
      const char c = text_[i];
      if (quote) {
        if (c == quote) quote = 0;
      } else if (c == '\'' || c == '"') {
        quote = c;
      } else if (c == '#' && i > start && std::isspace(static_cast<unsigned char>(text_[i - 1]))) {
        Place place = place_;
        place.column += static_cast<int>(i);
        fail_at(place, "'#' begins a comment; put the value in quotes, '...', inside the shell's");
      }
    }
  }

  // One path, as it stands: commas, '#' and ': ' are characters of files' names. Several are a list:
  // [first, second].
  YamlNode read_path(size_t start) const {
    const std::string text = text_.substr(start);
    if (text.empty() || std::string_view("'\"[{").find(text.front()) != std::string_view::npos)
      return read_value(start);
    Place place = place_;
    place.column += static_cast<int>(start);
    return {.place = place, .scalar = text};
  }

  static bool is_document_key(const std::string& key) {
    const std::string first = key.substr(0, key.find('.'));
    return key == "seeds" || key == "name" || key == "tables" || first == "run" ||
           first == "metric" || first == "stop";
  }

  // Of the keys above that are maps.
  std::optional<YamlNode>& map_of(const std::string& key) {
    const std::string first = key.substr(0, key.find('.'));
    return first == "run" ? document_.run : first == "stop" ? document_.stop : document_.metric;
  }

  void replace(const std::string& key, const YamlNode& value) {
    if (key == "name") {
      expect_name(value.place, "the sweep's name", expect_text(value, "name"));
      document_.name = value.scalar.get<std::string>();
    } else if (key == "tables") {
      document_.tables.clear();
      for (const YamlNode& table : value.is_list() ? value.items : std::vector<YamlNode>{value})
        document_.tables.push_back(expect_path(table, "tables", "").string());
    } else if (key == "seeds") {
      forget(blocks_of(document_), "seed");
      document_.top.seeds = value;
    } else {
      const size_t dot = key.find('.');
      auto& target = map_of(key);
      if (dot == std::string::npos) {
        target = value;
      } else {
        // `metric: loss` is short for {name: loss}.
        if (target && target->is_scalar() && !target->is_null() && &target == &document_.metric)
          target = YamlNode{.kind = YamlNode::Kind::kMap,
                            .place = target->place,
                            .entries = {{"name", target->place, *target}}};
        assign_below(target, key.substr(dot + 1), value);
      }
    }
  }

  void assign_below(std::optional<YamlNode>& target, const std::string& path,
                    const YamlNode& value) const {
    if (!target || !target->is_map())
      target = YamlNode{.kind = YamlNode::Kind::kMap, .place = place_};
    YamlNode* node = &*target;
    for (size_t start = 0; start <= path.size();) {
      const size_t end = std::min(path.find('.', start), path.size());
      const std::string key = path.substr(start, end - start);
      auto entry = std::find_if(node->entries.begin(), node->entries.end(),
                                [&](const YamlNode::Entry& present) { return present.key == key; });
      if (entry == node->entries.end())
        entry = node->entries.insert(entry, {key, place_, YamlNode{.place = place_}});
      node = &entry->value;
      if (end == path.size()) break;
      if (!node->is_map()) *node = YamlNode{.kind = YamlNode::Kind::kMap, .place = place_};
      start = end + 1;
    }
    *node = value;
  }

  // `target` gets the setting, `blocks` are those for which it holds.
  void set(const std::string& key, size_t start, bool adds, Block& target,
           const std::vector<Block*>& blocks) {
    const Place key_place = key_place_;
    const auto declared = catalog_.keys().find(key);
    if (declared == catalog_.keys().end()) fail_at(key_place, catalog_.unknown_key(key));
    if (adds) refuse_if_mentioned(key, key_place, blocks);
    YamlNode value = declared->second->type == "path" ? read_path(start) : read_value(start);
    resolve_environment(value, /*takes_keys=*/true);
    check_references(value, catalog_);
    // An axis keeps its place in the nesting.
    const bool is_known_axis = target.grid.find(key) != nullptr;
    const bool takes_lists = declared->second->type.rfind("list of ", 0) == 0;
    const bool is_list_of_lists =
        value.is_list() && !value.items.empty() && value.items[0].is_list();
    const bool is_axis =
        is_axis_map(value) || (value.is_list() && (!takes_lists || is_list_of_lists));
    const Setting setting{key, key_place, value};
    Settings grid = target.grid;
    if (is_axis && is_known_axis) grid.assign(setting);
    forget(blocks, key);
    if (!is_axis) {
      target.set.assign(setting);
    } else if (is_known_axis) {
      target.grid = grid;
    } else {
      target.grid.assign(setting);
    }
    for (Block* block : blocks) block->fixed.push_back(key);
  }

  static void refuse_if_mentioned(const std::string& key, const Place& key_place,
                                  const std::vector<Block*>& blocks) {
    for (Block* block : blocks) {
      if (key == "seed" && block->seeds) refuse(key_place, key, block->seeds->place, "seeds");
      std::vector<const Settings*> all = {&block->set, &block->grid};
      for (const ZipGroup& group : block->zip) all.push_back(&group.axes);
      for (const Settings& include : block->include) all.push_back(&include);
      for (const auto& when : block->when) all.push_back(&when->set);
      for (const Settings* settings : all) {
        if (const Setting* present = settings->find(key))
          refuse(key_place, key, present->place, key);
      }
    }
  }

  // The same for one of the sweep's own keys.
  void refuse_if_said(const std::string& key) {
    Place key_place = place_;
    key_place.column += 1;
    if (key == "name") refuse(key_place, key, {document_.source}, key);
    if (key == "tables" && !document_.tables.empty())
      refuse(key_place, key, {document_.source}, key);
    for (Block* block : blocks_of(document_)) {
      if (key == "seeds" && block->seeds) refuse(key_place, key, block->seeds->place, key);
    }
    if (key == "seeds") refuse_if_mentioned("seed", key_place, blocks_of(document_));
    const auto& map = map_of(key);
    if ((key == "run" || key == "metric" || key == "stop") && map)
      refuse(key_place, key, map->place, key);
    const size_t dot = key.find('.');
    const YamlNode* node = dot == std::string::npos || !map ? nullptr : &*map;
    for (size_t start = dot + 1; node && start <= key.size();) {
      const size_t end = std::min(key.find('.', start), key.size());
      node = node->find(key.substr(start, end - start));
      start = end + 1;
    }
    if (node) refuse(key_place, key, node->place, key);
  }

  [[noreturn]] static void refuse(const Place& place, const std::string& key, const Place& present,
                                  const std::string& by) {
    fail_at(place, "'" + key + "' is set already (" + location_text(present) +
                       "); change it with '" + by + "=...'");
  }

  void drop(const std::string& key) {
    Place key_place = place_;
    key_place.column += 1;
    if (key.find('=') != std::string::npos) fail_at(key_place, "~key takes no value");
    if (key.starts_with(kCases)) return drop_in_cases(key, key_place);
    if (key == "tables") return document_.tables.clear();
    if (key == "stop") return document_.stop.reset();
    bool is_block_key = true;
    for (Block* block : blocks_of(document_)) {
      if (key == "seeds") {
        block->seeds.reset();
      } else if (key == "exclude") {
        block->exclude.clear();
      } else if (key == "only") {
        block->only.clear();
      } else if (key == "include") {
        block->include.clear();
      } else if (key == "when") {
        block->when.clear();
      } else if (key == "zip") {
        std::erase_if(block->zip, [](const ZipGroup& group) { return group.name != kRowsGroup; });
      } else if (key == "rows") {
        std::erase_if(block->zip, [](const ZipGroup& group) { return group.name == kRowsGroup; });
      } else if (key == "sample") {
        block->sample.reset();
      } else if (key == "search") {
        block->search.reset();
      } else {
        is_block_key = false;
      }
    }
    if (is_block_key) return;
    if (catalog_.keys().find(key) == catalog_.keys().end())
      fail_at(key_place, catalog_.unknown_key(key));
    if (!forget(blocks_of(document_), key))
      fail_at(key_place, "the sweep does not mention '" + key + "'");
  }

  // ~cases.fixed, ~cases.fixed.reallocation.tau
  void drop_in_cases(const std::string& key, const Place& key_place) {
    const std::string rest = key.substr(std::string(kCases).size());
    const bool is_case = std::any_of(document_.cases.begin(), document_.cases.end(),
                                     [&](const auto& known) { return known.first == rest; });
    if (is_case || rest.find('.') == std::string::npos) return drop_case(rest, key_place);
    const auto [target, below] = in_case(key, key_place);
    if (catalog_.keys().find(below) == catalog_.keys().end())
      fail_at(key_place, catalog_.unknown_key(below));
    if (!forget({target}, below)) {
      fail_at(key_place, "case '" + rest.substr(0, rest.size() - below.size() - 1) +
                             "' does not mention '" + below + "'");
    }
  }

  void drop_case(const std::string& name, const Place& key_place) {
    std::vector<std::string> known;
    for (const auto& [case_name, block] : document_.cases) known.push_back(case_name);
    if (std::find(known.begin(), known.end(), name) == known.end())
      fail_at(key_place, unknown_name("case", name, known));
    if (known.size() == 1)
      fail_at(key_place, "'" + name + "' is the only case; without it there is no job");
    std::erase_if(document_.cases, [&](const auto& entry) { return entry.first == name; });
  }

  Document& document_;
  const Catalog& catalog_;
  Place place_;
  Place key_place_;  // behind the signs
  const std::string& text_;
};

}  // namespace

void apply_overrides(Document& document, const std::vector<std::string>& overrides,
                     const Catalog& catalog) {
  const auto source = std::make_shared<SourceText>(SourceText{"override", overrides});
  for (size_t i = 0; i < overrides.size(); ++i) {
    Override(document, catalog, {source, static_cast<int>(i) + 1, 1}, overrides[i]).apply();
  }
}

}  // namespace qbitopt
