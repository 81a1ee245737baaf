#pragma once

#include <map>
#include <string>
#include <string_view>

#include "qbitopt/weights/tensor_index.h"

namespace qbitopt {

struct ZipEntry {
  StoredValues content;
  // Neither compressed nor encrypted. If it is not, content.packed_size says whether unpack() knows
  // how.
  bool is_plain = true;
};

// The files in a zip archive (also of more than 4 GB), with where their bytes lie. Throws
// BadWeights for one that is cut off or damaged.
std::map<std::string, ZipEntry> read_zip_directory(std::string_view archive);

// The bytes themselves, unpacked if need be, after a look at their checksum. Throws BadWeights if
// they are damaged.
std::string unpack(std::string_view archive, const StoredValues& content);

}  // namespace qbitopt
