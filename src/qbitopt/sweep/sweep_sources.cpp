#include "qbitopt/sweep/sweep_sources.h"

#include <algorithm>

#include "qbitopt/core/text_file.h"
#include "qbitopt/sweep/interpolation.h"

namespace qbitopt {
namespace {

namespace fs = std::filesystem;

// The values of jobs stand in these keys of a block.
bool holds_values(const std::string& key) {
  static const std::vector<std::string> keys = {"set", "grid", "zip", "include", "when", "needs"};
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

void resolve_environment_of_block(YamlNode& block) {
  for (YamlNode::Entry& entry : block.entries) {
    if (entry.key == "cases" && entry.value.is_map()) {
      for (YamlNode::Entry& each : entry.value.entries) resolve_environment_of_block(each.value);
    } else {
      resolve_environment(entry.value, holds_values(entry.key));
    }
  }
}

constexpr size_t kMostFiles = 100;  // two files that extend two, twenty times over, are a million

class SourceReader {
 public:
  // `from`: where the file is named; without a source: it is the sweep itself.
  void read(const fs::path& file, const Place& from) {
    const std::string path = file.lexically_normal().string();
    if (std::find(open_.begin(), open_.end(), path) != open_.end()) {
      fail_at(from, path + " extends itself" +
                        (open_.back() == path ? "" : " by way of " + open_.back()));
    }
    const size_t reading = open_.size() + sources_.size();
    if (reading == kMostFiles)
      fail_at(from, "this sweep extends more than " + std::to_string(kMostFiles) + " files");
    std::string text = read_file(file, from);
    YamlNode root = parse_yaml(path, text);
    resolve_environment_of_block(root);
    open_.push_back(path);
    if (const YamlNode* extends = root.find("extends")) {
      for (const YamlNode& base :
           extends->is_list() ? extends->items : std::vector<YamlNode>{*extends}) {
        read(expect_path(base, "extends", file.parent_path()), base.place);
      }
    }
    open_.pop_back();
    sources_.push_back({file, std::move(text), std::move(root), reading});
  }

  std::vector<SweepSource> take() { return std::move(sources_); }

 private:
  static std::string read_file(const fs::path& file, const Place& from) {
    try {
      return read_text(file);
    } catch (const InputError& error) {
      fail_at(from, error.what());
    }
  }

  std::vector<SweepSource> sources_;
  std::vector<std::string> open_;  // the files that are being extended
};

}  // namespace

std::vector<SweepSource> read_sources(const fs::path& sweep) {
  SourceReader reader;
  reader.read(sweep, Place{});
  return reader.take();
}

}  // namespace qbitopt
