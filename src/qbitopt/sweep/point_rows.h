#pragma once

#include "qbitopt/sweep/block.h"

namespace qbitopt {

// Name of the group of axes that `rows` stands for; no zip group can have it in a file.
inline constexpr const char* kRowsGroup = "\n rows";

// `rows: points.csv`: a file with a header of keys and a point in each line, as axes that advance
// together. Cells are YAML scalars, and an empty cell is the default of its key; a list is written
// in brackets within quotes. A relative path starts at the sweep file's folder. Throws InputError with
// file, line and column for an unknown key, a line with too few or too many cells, and a file
// without lines.
ZipGroup read_rows(const YamlNode& node, const Catalog& catalog);

}  // namespace qbitopt
