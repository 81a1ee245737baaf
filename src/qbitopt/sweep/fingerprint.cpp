#include "qbitopt/sweep/fingerprint.h"

#include <algorithm>
#include <fstream>
#include <vector>

#include "qbitopt/core/encoding.h"
#include "qbitopt/core/error.h"
#include "qbitopt/core/hash.h"
#include "qbitopt/core/mapped_file.h"
#include "qbitopt/files/imagenet_files.h"
#include "qbitopt/files/readable_file.h"
#include "qbitopt/graph/pt2_file.h"
#include "qbitopt/graph/quantizers.h"
#include "qbitopt/job/published_weights.h"
#include "qbitopt/sweep/weights_file.h"
#include "qbitopt/weights/labeled_tensors.h"

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

// A name as JSON can store it. A name that is not UTF-8 is read as Latin-1, so that different names
// stay different.
std::string as_utf8(const std::string& name) {
  if (!first_invalid_utf8(name)) return name;
  std::string text;
  for (const char letter : name) {
    const auto byte = static_cast<unsigned char>(letter);
    if (byte < 0x80) {
      text += letter;
    } else {
      text += {static_cast<char>(0xc0 | byte >> 6), static_cast<char>(0x80 | (byte & 0x3f))};
    }
  }
  return text;
}

// [name, size] of a file below the root; the size of a broken link is null.
Json named_size(const std::string& root, const std::string& name) {
  std::error_code error;
  const auto size = fs::file_size(fs::path(root) / name, error);
  return {as_utf8(name), error ? Json() : Json(size)};
}

// The files of a data set: its images and archives, and the lists of labels among them.
Json files_of(const Manifest& part, const std::string& root, int64_t classes) {
  // Longer archives are not opened here, only by the worker: reading the headers of ImageNet's can
  // take minutes.
  constexpr int64_t kMostArchiveBytes = int64_t{1} << 30;
  Json files = Json::array();
  if (part.layout != "imagenet") return files;
  try {
    const ImageNetFiles found = list_imagenet(root, classes, kMostArchiveBytes);
    for (const auto* half : {&found.train, &found.validation}) {
      for (const LabeledFile& file : *half) {
        if (file.bytes < 0) files.push_back(named_size(root, file.path));
      }
    }
    for (const std::string& name : found.sources) {
      if (name.starts_with("train/") || name.starts_with("val/"))
        files.push_back(named_size(root, name));
    }
  } catch (const InputError& error) {
    throw InputError(named(part) + ": " + error.what());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

DataFingerprints::DataFingerprints(fs::path cache) : cache_(std::move(cache)) {
  std::ifstream stream(cache_);
  if (!stream) return;
  known_ = Json::parse(stream, nullptr, /*allow_exceptions=*/false);
  if (!known_.is_object()) known_ = Json::object();
}

const std::string& DataFingerprints::of(const Manifest& part, const std::string& root,
                                        int64_t classes) {
  const auto [entry, is_new] = fingerprints_.try_emplace({&part, root, classes});
  if (!is_new && !entry->second.empty()) return entry->second;
  if (is_model(part) && part.contents.empty()) {
    throw InputError("'" + part.name +
                     "' has no published weights; leave weights.root out to train it from scratch");
  }
  const Json files = files_of(part, root, classes);
  Json contents = Json::object();
  if (part.layout == "tensors") contents["tensors"] = tensor_file(part, root).sha256;
  for (const auto& [name, expected] : part.contents) {
    const fs::path named_file = fs::path(root) / name;
    const fs::path file = is_model(part) ? published_weights(root, part.name) : named_file;
    const std::string unreadable = fault_of_file(file);
    if (unreadable == "no such file") fail_missing(part, file, root);
    const auto fail = [&](const std::string& fault) {
      throw InputError(named(part) + ": " + file.string() + " " + fault +
                       "; to get it: " + remedy(part));
    };
    if (!unreadable.empty()) fail(unreadable);
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
  const auto taken = fingerprints_.find({&model, root, 0});
  if (taken == fingerprints_.end() || taken->second.empty()) return "";
  const fs::path file = published_weights(root, model.name);
  const std::string misfit = misfit_of_weights(file, model, classes);
  return misfit.empty() ? "" : named(model) + ": " + file.string() + " " + misfit;
}

const DataFingerprints::TensorFile& DataFingerprints::tensor_file(const Manifest& data,
                                                                  const fs::path& file) {
  if (const auto known = tensor_files_.find(file); known != tensor_files_.end())
    return known->second;
  const auto fail = [&](const std::string& fault) {
    throw InputError(named(data) + ": " + file.string() + " " + fault +
                     "; to get it: " + remedy(data));
  };
  if (const std::string fault = fault_of_file(file); !fault.empty()) {
    fail(fault == "no such file" ? "is missing" : fault);
  }
  TensorFile found;
  try {
    const MappedFile mapped(file);
    const TensorData content = index_tensor_data(mapped.bytes());
    found.classes = content.classes;
    found.shape = content.shape();
  } catch (const BadWeights& error) {
    fail(error.what());
  }
  found.sha256 = content_sha256(file);
  return tensor_files_[file] = std::move(found);
}

const DataFingerprints::GraphFile& DataFingerprints::graph_file(const fs::path& file) {
  if (const auto known = graph_files_.find(file); known != graph_files_.end()) return known->second;
  if (const std::string fault = fault_of_file(file); !fault.empty()) {
    throw InputError("model '" + file.string() + "': " + fault +
                     "; make it from a PyTorch module with tools/export_network.py");
  }
  GraphFile found;
  try {
    const MappedFile mapped(file);
    found.graph = read_pt2(mapped.bytes());
    insert_quantizers(found.graph);
    found.classes = found.graph.classes();
    found.image_shape = found.graph.image_shape();
  } catch (const BadGraph& error) {
    throw InputError("model '" + file.string() + "' " + error.what());
  }
  found.sha256 = content_sha256(file);
  return graph_files_[file] = std::move(found);
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
