#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "qbitopt/core/json.h"

namespace qbitopt::testing {

// The rows of "logits" in what `export-network --examples` writes (safetensors).
inline std::vector<std::vector<float>> example_logits(const std::string& file) {
  uint64_t header = 0;
  std::memcpy(&header, file.data(), sizeof header);
  const Json entry = Json::parse(file.substr(8, header)).at("logits");
  const size_t begin = entry.at("data_offsets").at(0);
  const size_t rows = entry.at("shape").at(0), classes = entry.at("shape").at(1);
  std::vector<std::vector<float>> logits(rows, std::vector<float>(classes));
  for (size_t row = 0; row < rows; ++row) {
    std::memcpy(logits[row].data(), file.data() + 8 + header + begin + 4 * classes * row,
                4 * classes);
  }
  return logits;
}

}  // namespace qbitopt::testing
