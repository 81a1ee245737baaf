#include "qbitopt/sweep/fingerprint.h"

#include <glob.h>

#include <algorithm>
#include <fstream>
#include <vector>

#include "qbitopt/core/error.h"
#include "qbitopt/core/hash.h"
#include "qbitopt/job/published_weights.h"
#include "qbitopt/sweep/weights_file.h"

namespace qbitopt {
namespace fs = std::filesystem;
namespace {

bool is_model(const Manifest& part) { return part.kind == "model"; }

std::string root_key(const Manifest& part) { return is_model(part) ? "weights.root" : "data.root"; }

std::string named(const Manifest& part) {
  return (is_model(part) ? "weights of '" : "data set '") + part.name + "'";
}

std::string remedy(const Manifest& part) {
  return part.obtain.empty() ? "set " + root_key(part) + "=<the folder that holds it>"
                             : part.obtain;
}

[[noreturn]] void fail_missing(const Manifest& part, const fs::path& file,
                               const std::string& root) {
  throw InputError(named(part) + ": " + file.string() + " is missing; expected below " +
                   root_key(part) + " = '" + root + "'; to get it: " + remedy(part));
}

std::vector<fs::path> files_matching(const std::string& pattern) {
  glob_t found{};
  std::vector<fs::path> files;
  if (::glob(pattern.c_str(), GLOB_BRACE, nullptr, &found) == 0) {
    files.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  }
  ::globfree(&found);
  return files;
}

}  // namespace

DataFingerprints::DataFingerprints(fs::path cache) : cache_(std::move(cache)) {
  std::ifstream stream(cache_);
  if (!stream) return;
  known_ = Json::parse(stream, nullptr, /*allow_exceptions=*/false);
  if (!known_.is_object()) known_ = Json::object();
}

const std::string& DataFingerprints::of(const Manifest& part, const std::string& root) {
  const auto [entry, is_new] = fingerprints_.try_emplace({&part, root});
  if (!is_new && !entry->second.empty()) return entry->second;
  if (is_model(part) && part.contents.empty()) {
    throw InputError("'" + part.name +
                     "' has no published weights; leave weights.root out to train it from scratch");
  }
  Json files = Json::array();
  for (const std::string& pattern : part.files) {
    const std::vector<fs::path> found = files_matching((fs::path(root) / pattern).string());
    if (found.empty()) fail_missing(part, fs::path(root) / pattern, root);
    for (const fs::path& file : found) {
      files.push_back({file.lexically_relative(root).generic_string(), fs::file_size(file)});
    }
  }
  std::sort(files.begin(), files.end());
  Json contents = Json::object();
  for (const auto& [name, expected] : part.contents) {
    const fs::path named_file = fs::path(root) / name;
    const fs::path file = is_model(part) ? published_weights(root, part.name) : named_file;
    if (!fs::is_regular_file(file)) fail_missing(part, file, root);
    const auto fail = [&](const std::string& fault) {
      throw InputError(named(part) + ": " + file.string() + " " + fault +
                       "; to get it: " + remedy(part));
    };
    const std::string fault = is_model(part) ? fault_of_weights(file, named_file) : "";
    if (!fault.empty()) fail(fault);
    const std::string found = content_sha256(file);
    const std::string begin = file == named_file ? expected : digits_of_name(file);
    if (!found.starts_with(begin)) {
      fail("is damaged or another file: its sha256 is " + found + ", expected " + begin +
           (begin.size() < found.size() ? "..." : ""));
    }
    contents[name] = found;
  }
  entry->second =
      sha256(canonical_json({{"name", part.name}, {"files", files}, {"contents", contents}}));
  return entry->second;
}

std::string DataFingerprints::misfit(const Manifest& model, const std::string& root,
                                     int64_t classes) const {
  const auto taken = fingerprints_.find({&model, root});
  if (taken == fingerprints_.end() || taken->second.empty()) return "";
  const fs::path file = published_weights(root, model.name);
  const std::string misfit = misfit_of_weights(file, model, classes);
  return misfit.empty() ? "" : named(model) + ": " + file.string() + " " + misfit;
}

void DataFingerprints::complain(const std::string& fault) {
  if (std::find(faults_.begin(), faults_.end(), fault) == faults_.end()) faults_.push_back(fault);
}

void DataFingerprints::expect_no_fault() const {
  std::string all;
  for (const std::string& fault : faults_) all += (all.empty() ? "" : "\n") + fault;
  if (!all.empty()) throw InputError(all);
}

std::string DataFingerprints::content_sha256(const fs::path& file) {
  const std::string path = fs::absolute(file).lexically_normal().string();
  const auto size = static_cast<int64_t>(fs::file_size(file));
  const int64_t changed = fs::last_write_time(file).time_since_epoch().count();
  if (const auto entry = known_.find(path); entry != known_.end() && entry->is_object() &&
                                            entry->value("size", Json()) == size &&
                                            entry->value("changed", Json()) == changed) {
    const Json digest = entry->value("sha256", Json());
    if (digest.is_string() && digest.get_ref<const std::string&>().size() == 64)
      return digest.get<std::string>();
  }
  std::string digest = sha256_of_file(file);
  known_[path] = {{"size", size}, {"changed", changed}, {"sha256", digest}};
  is_changed_ = true;
  return digest;
}

void DataFingerprints::save() const {
  if (cache_.empty() || !is_changed_) return;
  try {
    write_file_atomically(cache_, known_.dump(2) + "\n");
  } catch (const std::exception&) {
    // Read-only folder or full disk: the next run reads the data again.
  }
}

}  // namespace qbitopt
