#include "qbitopt/sweep/document.h"

#include <algorithm>
#include <map>

#include "qbitopt/config/yaml.h"
#include "qbitopt/core/hash.h"
#include "qbitopt/core/names.h"
#include "qbitopt/core/text_file.h"
#include "qbitopt/sweep/point_rows.h"
#include "qbitopt/sweep/sweep_sources.h"

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
    const std::vector<SweepSource> sources = read_sources(file);
    check_version(sources.back().root, /*is_sweep=*/true);
    for (const SweepSource& source : sources) {
      expect_document_keys(source.root, "a sweep file",
                           with_block_keys({"qbitopt", "name", "description", "plugin", "extends",
                                            "cases", "metric", "run", "stop", "tables"}),
                           catalog_);
      check_version(source.root, /*is_sweep=*/false);
      lay(source.root, source.file);
    }
    note_included(sources);
    note_rows(document_.top);
    check_named_cases(document_.top);
    for (const auto& [name, block] : document_.cases) {
      note_rows(block);
      check_named_cases(block);
    }
    document_.text = sources.back().text;
    document_.source = sources.back().root.place.source;
    document_.name = name_of(sources.back());
    return std::move(document_);
  }

 private:
  // All but the sweep itself, each once, in the order in which one finds them.
  void note_included(const std::vector<SweepSource>& sources) {
    std::map<size_t, const SweepSource*> by_reading;
    for (const SweepSource& source : sources) by_reading[source.reading] = &source;
    by_reading.erase(0);
    for (const auto& [reading, source] : by_reading) {
      const std::pair<std::string, std::string> entry(source->file.lexically_normal().string(),
                                                      sha256(source->text));
      auto& included = document_.included;
      if (std::find(included.begin(), included.end(), entry) == included.end())
        included.push_back(entry);
    }
  }

  void note_rows(const Block& block) {
    for (const ZipGroup& group : block.zip) {
      if (group.name != kRowsGroup) continue;
      const std::string& file = group.place.source->name;
      document_.rows.emplace_back(file, sha256(read_text(file, kLargestData)));
    }
  }

  // Throws InputError at a condition about a case that no file has.
  void check_named_cases(const Block& block) const {
    const auto check = [&](const std::vector<NamedCase>& named) {
      for (const auto& [name, place] : named) {
        if (std::find(case_names_.begin(), case_names_.end(), name) == case_names_.end())
          fail_at(place, unknown_name("case", name, case_names_));
      }
    };
    for (const auto& rule : block.exclude) check(rule->cases);
    for (const RuleList& list : block.only) {
      for (const auto& rule : list) check(rule->cases);
    }
    for (const auto& when : block.when) check(when->cases);
  }

  static void check_version(const YamlNode& root, bool is_sweep) {
    const YamlNode* version = root.find("qbitopt");
    if (!version && is_sweep)
      fail_at(root.place,
              "this is not a sweep file: `qbitopt: 1`, the version of the format, is missing");
    if (!version) return;
    const int64_t number = expect_int(*version, "qbitopt");
    if (number != kGrammarVersion) {
      fail_at(version->place, "version " + std::to_string(number) +
                                  " of the sweep format is unknown; this qbitopt reads version 1");
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
    if (const YamlNode* stop = root.find("stop"))
      document_.stop = document_.stop ? merged(*document_.stop, *stop) : *stop;
    if (const YamlNode* tables = root.find("tables")) {
      document_.tables.clear();
      for (const YamlNode& table :
           tables->is_list() ? tables->items : std::vector<YamlNode>{*tables}) {
        document_.tables.push_back(
            expect_path(table, "tables", file.parent_path()).lexically_normal().string());
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
      expect_name(entry.place, "the name of a case", entry.key);
      case_names_.push_back(entry.key);
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
  std::vector<std::string> case_names_;  // also of those that a later file drops
};

}  // namespace

std::string name_of(const SweepSource& sweep) {
  const YamlNode* name = sweep.root.find("name");
  if (!name) {
    const std::string stem = sweep.file.stem().string();
    expect_name(sweep.root.place,
                "the file's name, which is also the sweep's because there is no `name:`,", stem);
    return stem;
  }
  expect_name(name->place, "the sweep's name", expect_text(*name, "name"));
  return name->scalar.get<std::string>();
}

Document read_document(const std::filesystem::path& file, const Catalog& catalog) {
  return DocumentReader(catalog).read(file);
}

}  // namespace qbitopt
