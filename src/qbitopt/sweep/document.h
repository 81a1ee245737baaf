#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "qbitopt/sweep/block.h"
#include "qbitopt/sweep/sweep_sources.h"

namespace qbitopt {

// A sweep file with everything that it extends.
struct Document {
  std::string name;
  std::string text;                          // of the file itself, verbatim
  std::shared_ptr<const SourceText> source;  // the same, for places
  // Path and sha256 of every file it extends.
  std::vector<std::pair<std::string, std::string>> included;
  std::vector<std::pair<std::string, std::string>> rows;  // the same of its files of points
  Block top;
  std::vector<std::pair<std::string, Block>> cases;  // by themselves: not yet laid over the top
  std::optional<YamlNode> metric;
  std::optional<YamlNode> run;
  std::optional<YamlNode> stop;
  std::vector<std::string> tables;  // relative to the working directory
};

// Reads a file and what it extends. Maps are merged key by key, the later file wins, lists replace
// lists, `_delete_: true` in a map drops what was inherited there.
// Throws InputError.
Document read_document(const std::filesystem::path& file, const Catalog& catalog);

// The `name:` of a sweep, else the name of its file without ".yaml". Throws InputError if that is
// no valid name.
std::string name_of(const SweepSource& sweep);

}  // namespace qbitopt
