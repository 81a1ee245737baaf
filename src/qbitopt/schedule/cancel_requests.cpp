#include "qbitopt/schedule/cancel_requests.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <fstream>
#include <system_error>

#include "qbitopt/core/json.h"

namespace qbitopt {

namespace fs = std::filesystem;

CancelRequests::CancelRequests(const fs::path& runs_folder) : folder_(runs_folder / "cancel") {}

fs::path CancelRequests::put(const std::vector<std::string>& keys) const {
  fs::create_directories(folder_);
  const auto now = std::chrono::system_clock::now().time_since_epoch().count();
  const fs::path file =
      folder_ / (std::to_string(now) + "-" + std::to_string(::getpid()) + ".json");
  fs::path part = file;
  part += ".part";
  std::ofstream stream(part);
  stream << Json(keys).dump() << "\n";
  stream.close();
  if (!stream) throw std::system_error(errno, std::generic_category(), part.string());
  fs::rename(part, file);
  return file;
}

std::vector<std::string> CancelRequests::take() const {
  std::vector<fs::path> files;
  std::error_code none;  // no folder: no requests
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_, none)) {
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  std::vector<std::string> keys;
  for (const fs::path& file : files) {
    std::ifstream stream(file);
    const Json list = Json::parse(stream, nullptr, /*allow_exceptions=*/false);
    for (const Json& key : list.is_array() ? list : Json::array()) {
      if (key.is_string()) keys.push_back(key);
    }
    std::error_code ignored;
    fs::remove(file, ignored);
  }
  return keys;
}

}  // namespace qbitopt
