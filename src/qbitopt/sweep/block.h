#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "qbitopt/sweep/rule.h"
#include "qbitopt/sweep/search.h"
#include "qbitopt/sweep/settings.h"

namespace qbitopt {

// Axes that advance together: {fracbits.kappa: [0.1, 1.0], fracbits.warmup_epochs: [1, 2]}.
struct ZipGroup {
  std::string name;
  Place place;
  Settings axes;
};

// {method: random, n: 50, seed: 0}: how many values the drawn axes get, together. `sobol` spreads
// them evenly: the n-th drawn axis is the n-th dimension of Sobol's sequence, which a seed shifts.
struct Sample {
  bool is_sobol = false;
  int64_t count = 0;
  std::optional<uint64_t> seed;  // of random: 0 unless given
  Place place;
};

// The job that meets a need, in place of the one that the method's manifest names.
struct NeedSetting {
  std::string name;
  Settings changes;
  std::optional<std::string> artifact;
  Place place;
};

// Describes jobs: constants, axes, and rules over their product. The top level of a file is a
// block, and so is each of its cases.
struct Block {
  Place place;
  Settings set;
  Settings grid;
  std::vector<ZipGroup> zip;  // one of them may be `rows`, see point_rows.h
  std::optional<YamlNode> seeds;
  std::optional<Sample> sample;
  std::optional<Search> search;
  RuleList exclude;
  std::vector<RuleList> only;     // a job must match an entry of each list
  std::vector<Settings> include;  // one further job each
  WhenList when;
  std::vector<NeedSetting> needs;
  // Prefixes of `_delete_: true`, for a case over the top.
  std::vector<std::string> dropped_from_set;
  std::vector<std::string> dropped_from_grid;
  // Keys that the command line or a search sets: no `when` changes them.
  std::vector<std::string> fixed;
};

// A block as one file writes it, before it is merged with the blocks that the file extends.
struct BlockLayer {
  Place place;
  SettingsLayer set;
  SettingsLayer grid;
  std::vector<ZipGroup> zip;
  bool drops_zip = false;
  std::optional<YamlNode> seeds;
  std::optional<Sample> sample;
  std::optional<Search> search;
  std::optional<RuleList> exclude;
  std::optional<RuleList> only;
  std::optional<std::vector<Settings>> include;
  std::optional<WhenList> when;
  std::vector<NeedSetting> needs;
};

// The keys of a block: "set", "grid", ...
const std::vector<std::string>& block_keys();

// Reads the block's keys of a map and leaves the others to the caller.
BlockLayer read_block(const YamlNode& node, const Catalog& catalog);

// Merges a later file into `block`: settings are replaced key by key, lists as a whole. If one file
// sets a key and the other varies it, the later file wins.
void lay_over(Block& block, const BlockLayer& over);

// The jobs of a case: `over` merged into `base`. Constants and axes are merged as above; exclude,
// only and when of both apply; include is the case's alone.
Block case_block(const Block& base, const Block& over);

}  // namespace qbitopt
