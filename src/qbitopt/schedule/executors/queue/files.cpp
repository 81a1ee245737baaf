#include "qbitopt/schedule/executors/queue/files.h"

#include <fstream>
#include <system_error>

namespace qbitopt {

namespace fs = std::filesystem;

bool is_there(const fs::path& file) {
  std::error_code none;
  return fs::exists(file, none);
}

std::string first_line_of(const fs::path& file) {
  std::ifstream stream(file);
  std::string line;
  std::getline(stream, line);
  return line;
}

std::string last_line_of(const fs::path& file) {
  std::ifstream stream(file);
  std::string last;
  for (std::string line; std::getline(stream, line);) {
    if (line.find_first_not_of(" \t\r") != std::string::npos) last = line;
  }
  return last;
}

void list_folder(const fs::path& folder) {
  std::error_code none;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator(folder, none)) {
  }
}

}  // namespace qbitopt
