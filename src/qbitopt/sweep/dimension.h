#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "qbitopt/sweep/axis.h"
#include "qbitopt/sweep/block.h"

namespace qbitopt {

// One factor of a block's product: an axis, axes that advance together, drawn axes, or the seeds.
struct Dimension {
  std::vector<std::string> keys;
  std::vector<std::vector<AxisValue>> rows;  // [row][key]
  bool is_seeds = false;                     // replicates: no axis of the results
};

// The factors in the order of nesting, the last one fastest: grid, zip, seeds. Drawn axes stand
// where the first of them stands. Adds to `warnings`. Throws InputError for a product of more than a
// hundred million points.
std::vector<Dimension> dimensions(const Block& block, const Catalog& catalog,
                                  std::vector<std::string>& warnings);

}  // namespace qbitopt
