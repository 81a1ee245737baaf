#pragma once

#include <zlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "core/temporary_folder.h"

namespace qbitopt {

inline void write_gzip(const std::filesystem::path& file, const std::string& content) {
  gzFile stream = gzopen(file.c_str(), "wb");
  gzwrite(stream, content.data(), static_cast<unsigned>(content.size()));
  gzclose(stream);
}

inline std::string read_raw(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(stream), {});
}

inline void write_raw(const std::filesystem::path& file, const std::string& content) {
  std::ofstream(file, std::ios::binary) << content;
}

}  // namespace qbitopt
