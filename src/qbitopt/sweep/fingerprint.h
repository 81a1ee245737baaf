#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "qbitopt/config/manifest.h"
#include "qbitopt/core/json.h"
#include "qbitopt/graph/graph.h"

namespace qbitopt {

// Fingerprints of data sets and of published weights, which do not depend on where they are stored:
// sha256 over the name, the sorted relative names and sizes of the files in the `layout`, and the
// sha256 of the `contents`. Files that the data set does not read do not count. Contents are read
// once: the cache remembers them by path, size and time of change.
class DataFingerprints {
 public:
  // `cache`: a JSON file, read now and written by save(); empty: none. A damaged one counts as
  // empty.
  explicit DataFingerprints(std::filesystem::path cache = {});

  // 64 hexadecimal digits. Throws InputError if a file is missing or is not what the manifest says,
  // with the way to get it. `classes`: how many a data set with a layout must have; it is checked,
  // and does not change the fingerprint.
  const std::string& of(const Manifest& part, const std::string& root, int64_t classes = 0);

  // Why published weights that of() has accepted do not fit the model with this number of classes;
  // empty if they fit, or if of() has rejected them.
  std::string misfit(const Manifest& model, const std::string& root, int64_t classes) const;

  // A model that is a .pt2 file: the sha256 of its content, and the data that it was exported for.
  struct GraphFile {
    std::string sha256;
    int64_t classes = 0;
    std::vector<int64_t> image_shape;  // of one image; -1: any size
    Graph graph;                       // without quantizers
  };
  // Throws InputError if the file is missing or contains no network that can be trained.
  const GraphFile& graph_file(const std::filesystem::path& file);

  // A data set that is one file of tensors: the sha256 of its content, and what it holds.
  struct TensorFile {
    std::string sha256;
    int64_t classes = 0;
    std::vector<int64_t> shape;  // of one sample
  };
  // Throws InputError if the file is missing, or is not what tensors.yaml says.
  const TensorFile& tensor_file(const Manifest& data, const std::filesystem::path& file);

  // Keeps an error, with its place in the sweep, so that the remaining files are checked, too.
  void complain(const std::string& fault);
  // Throws InputError that lists the kept errors, one per line, if there are any.
  void expect_no_fault() const;

  // Writes the cache if it has changed. A failure is ignored, because the cache only saves time.
  void save() const;

 private:
  std::string content_sha256(const std::filesystem::path& file);

  std::filesystem::path cache_;
  Json known_ = Json::object();  // absolute path -> {size, changed (nanoseconds), sha256}
  bool is_changed_ = false;
  std::vector<std::string> faults_;
  std::map<std::filesystem::path, GraphFile> graph_files_;
  std::map<std::filesystem::path, TensorFile> tensor_files_;
  std::map<std::tuple<const Manifest*, std::string, int64_t>, std::string> fingerprints_;
};

}  // namespace qbitopt
