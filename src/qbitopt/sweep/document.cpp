#include "qbitopt/sweep/document.h"

#include <algorithm>

#include "qbitopt/core/hash.h"
#include "qbitopt/sweep/yaml.h"

namespace qbitopt {
namespace {

constexpr int kGrammarVersion = 1;

std::vector<std::string> with_block_keys(std::vector<std::string> keys) {
  keys.insert(keys.end(), block_keys().begin(), block_keys().end());
  return keys;
}

void expect_document_keys(const YamlNode& node, const std::string& what,
                          const std::vector<std::string>& known, const Catalog& catalog) {
  for (const YamlNode::Entry& entry : node.entries) {
    if (std::find(known.begin(), known.end(), entry.key) != known.end()) continue;
    const std::string below = entry.key + ".";
    const auto key = catalog.keys().lower_bound(entry.key);
    if (key != catalog.keys().end() &&
        (key->first == entry.key || key->first.rfind(below, 0) == 0)) {
      fail_at(entry.place,
              "'" + entry.key +
                  "' is a parameter of jobs; write it below `set:` (or `grid:` to vary it)");
    }
  }
  expect_keys(node, what, known);
}

// Deep merge of two maps; anything else is replaced.
YamlNode merged(YamlNode base, const YamlNode& over) {
  if (!base.is_map() || !over.is_map()) return over;
  if (const YamlNode* drop = over.find("_delete_"); drop && expect_bool(*drop, "_delete_"))
    base.entries.clear();
  for (const YamlNode::Entry& entry : over.entries) {
    if (entry.key == "_delete_") continue;
    const auto present =
        std::find_if(base.entries.begin(), base.entries.end(),
                     [&](const YamlNode::Entry& other) { return other.key == entry.key; });
    if (present == base.entries.end()) {
      base.entries.push_back(entry);
    } else {
      *present = {entry.key, entry.place, merged(std::move(present->value), entry.value)};
    }
  }
  return base;
}

class DocumentReader {
 public:
  explicit DocumentReader(const Catalog& catalog) : catalog_(catalog) {}

  Document read(const std::filesystem::path& file) {
    apply(file, Place{});
    document_.text = text_;
    return std::move(document_);
  }

 private:
  // Lays the file, and before it what it extends, over the document. `from`: where it is extended;
  // none for the first.
  void apply(const std::filesystem::path& file, const Place& from) {
    const bool is_first = from.source == nullptr;
    const std::string path = file.lexically_normal().string();
    if (std::find(open_.begin(), open_.end(), path) != open_.end()) {
      fail_at(from, path + " extends itself" +
                        (open_.back() == path ? "" : " by way of " + open_.back()));
    }
    const std::string text = read(file, from);
    if (!is_first) note_included(path, text);
    const YamlNode root = parse_yaml(path, text);
    expect_document_keys(root, "a sweep file",
                         with_block_keys({"qbitopt", "name", "description", "plugin", "extends",
                                          "cases", "metric", "run", "tables"}),
                         catalog_);
    check_version(root, is_first);
    open_.push_back(path);
    if (const YamlNode* extends = root.find("extends")) {
      for (const YamlNode& item :
           extends->is_list() ? extends->items : std::vector<YamlNode>{*extends}) {
        apply(file.parent_path() / expect_text(item, "extends"), item.place);
      }
    }
    open_.pop_back();
    lay(root, file);
    if (!is_first) return;
    text_ = text;
    document_.source = root.place.source;
    const YamlNode* name = root.find("name");
    document_.name = name ? expect_text(*name, "name") : file.stem().string();
  }

  static std::string read(const std::filesystem::path& file, const Place& from) {
    try {
      return read_text(file);
    } catch (const InputError& error) {
      fail_at(from, error.what());
    }
  }

  void note_included(const std::string& path, const std::string& text) {
    const std::pair<std::string, std::string> entry(path, sha256(text));
    auto& included = document_.included;
    if (std::find(included.begin(), included.end(), entry) == included.end())
      included.push_back(entry);
  }

  static void check_version(const YamlNode& root, bool is_first) {
    const YamlNode* version = root.find("qbitopt");
    if (!version && is_first)
      fail_at(root.place,
              "this is no sweep file: it does not say `qbitopt: 1`, the grammar's version");
    if (!version) return;
    const int64_t number = expect_int(*version, "qbitopt");
    if (number != kGrammarVersion) {
      fail_at(version->place,
              "version " + std::to_string(number) +
                  " of the grammar is not known here; this qbitopt reads version 1");
    }
  }

  void lay(const YamlNode& root, const std::filesystem::path& file) {
    lay_over(document_.top, read_block(root, catalog_));
    if (const YamlNode* cases = root.find("cases")) lay_cases(*cases);
    if (const YamlNode* metric = root.find("metric")) {
      document_.metric = document_.metric ? merged(*document_.metric, *metric) : *metric;
    }
    if (const YamlNode* run = root.find("run"))
      document_.run = document_.run ? merged(*document_.run, *run) : *run;
    if (const YamlNode* tables = root.find("tables")) {
      document_.tables.clear();
      for (const std::string& table : expect_texts(*tables, "tables")) {
        document_.tables.push_back((file.parent_path() / table).lexically_normal().string());
      }
    }
    if (const YamlNode* description = root.find("description"))
      expect_text(*description, "description");
  }

  void lay_cases(const YamlNode& cases) {
    if (!cases.is_map()) {
      fail_at(cases.place, "cases must map names to blocks, found " + cases.found() +
                               "; write cases: {fp32: {set: {method: fp32}}}");
    }
    if (const YamlNode* drop = cases.find("_delete_"); drop && expect_bool(*drop, "_delete_"))
      document_.cases.clear();
    for (const YamlNode::Entry& entry : cases.entries) {
      if (entry.key == "_delete_") continue;
      if (!entry.value.is_map())
        fail_at(entry.place,
                "case '" + entry.key + "' must be a map, found " + entry.value.found());
      expect_document_keys(entry.value, "case '" + entry.key + "'", with_block_keys({"_delete_"}),
                           catalog_);
      auto present = std::find_if(document_.cases.begin(), document_.cases.end(),
                                  [&](const auto& known) { return known.first == entry.key; });
      if (present == document_.cases.end())
        present = document_.cases.insert(present, {entry.key, Block{}});
      if (const YamlNode* drop = entry.value.find("_delete_");
          drop && expect_bool(*drop, "_delete_")) {
        present->second = Block{};
      }
      BlockLayer layer = read_block(entry.value, catalog_);
      layer.place = entry.place;
      lay_over(present->second, layer);
    }
  }

  const Catalog& catalog_;
  Document document_;
  std::string text_;
  std::vector<std::string> open_;  // the files that are being extended
};

}  // namespace

Document read_document(const std::filesystem::path& file, const Catalog& catalog) {
  return DocumentReader(catalog).read(file);
}

}  // namespace qbitopt
