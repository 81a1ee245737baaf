#include "app/disk_space.h"

#include <fmt/format.h>

#include <system_error>

namespace qbitopt::app {

namespace fs = std::filesystem;

int64_t disk_space(const fs::path& path) {
  std::error_code ignored;
  if (fs::is_regular_file(fs::symlink_status(path, ignored)))
    return static_cast<int64_t>(fs::file_size(path, ignored));
  int64_t bytes = 0;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(
           path, fs::directory_options::skip_permission_denied, ignored)) {
    if (!entry.is_symlink() && entry.is_regular_file(ignored))
      bytes += static_cast<int64_t>(entry.file_size(ignored));
  }
  return bytes;
}

std::string size_text(int64_t bytes) {
  if (bytes < 1000) return fmt::format("{} B", bytes);
  auto value = static_cast<double>(bytes);
  for (const char* unit : {"kB", "MB", "GB"}) {
    value /= 1000;
    if (value < 999.95) return fmt::format("{:.1f} {}", value, unit);
  }
  return fmt::format("{:.1f} TB", value / 1000);
}

}  // namespace qbitopt::app
