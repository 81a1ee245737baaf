#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace qbitopt {

// How another process asks the running driver to cancel jobs: files in <runs>/cancel, one a
// request, each a list of keys. The driver deletes a request when it obeys it.
class CancelRequests {
 public:
  explicit CancelRequests(const std::filesystem::path& runs_folder);

  // Returns the file of the request. Throws std::system_error if it cannot be written.
  std::filesystem::path put(const std::vector<std::string>& keys) const;
  // The keys of all requests, which are deleted.
  std::vector<std::string> take() const;

 private:
  std::filesystem::path folder_;
};

}  // namespace qbitopt
