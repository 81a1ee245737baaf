#pragma once

#include <map>
#include <string>

#include "qbitopt/weights/tensor_index.h"

namespace qbitopt {

struct ZipEntry {
  StoredValues content;
  bool is_plain = true;  // neither compressed nor encrypted
};

// The files in a zip archive (also of more than 4 GB), with where their bytes lie. Throws
// BadWeights for one that is cut off or damaged.
std::map<std::string, ZipEntry> read_zip_directory(std::string_view archive);

}  // namespace qbitopt
