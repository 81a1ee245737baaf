#include "qbitopt/files/image_labels.h"

#include <zlib.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <regex>
#include <sstream>

#include "qbitopt/core/error.h"
#include "qbitopt/files/readable_file.h"

namespace qbitopt {
namespace {

namespace fs = std::filesystem;
using NameLabels = std::map<std::string, int64_t>;

// Also as a link that leads nowhere.
bool is_there(const fs::path& file) {
  std::error_code error;
  return fs::exists(fs::symlink_status(file, error));
}

std::ifstream open_list(const fs::path& file) {
  if (const std::string fault = fault_of_file(file); !fault.empty())
    throw InputError(file.string() + ": " + fault + "; expected a list of labels");
  return std::ifstream(file, std::ios::binary);
}

std::vector<std::string> lines_of(const fs::path& file) {
  std::ifstream stream = open_list(file);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) {
    while (!line.empty() && std::isspace(static_cast<unsigned char>(line.back()))) line.pop_back();
    lines.push_back(line);
  }
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

// A class or its index.
int64_t label_of(const std::string& text, const ClassLabels& labels, const Location& where) {
  const auto found = labels.find(text);
  if (found != labels.end()) return found->second;
  const bool is_number =
      !text.empty() && text.size() < 7 && text.find_first_not_of("0123456789") == std::string::npos;
  if (is_number && std::stoll(text) < static_cast<int64_t>(labels.size())) return std::stoll(text);
  throw InputError(where, "'" + text + "' is neither a class nor an index below " +
                              std::to_string(labels.size()));
}

NameLabels read_list(const fs::path& file, const ClassLabels& labels) {
  NameLabels found;
  int line_number = 0;
  for (const std::string& line : lines_of(file)) {
    ++line_number;
    if (line.empty()) continue;
    std::istringstream words(line);
    std::string name, label;
    words >> name >> label;
    found[fs::path(name).stem().string()] = label_of(label, labels, {file.string(), line_number});
  }
  return found;
}

NameLabels read_kaggle(const fs::path& file, const ClassLabels& labels) {
  NameLabels found;
  int line_number = 0;
  for (const std::string& line : lines_of(file)) {
    if (++line_number == 1 && line.starts_with("ImageId")) continue;
    if (line.empty()) continue;
    const size_t comma = line.find(',');
    const size_t end = line.find(' ', comma == std::string::npos ? 0 : comma);
    if (comma == std::string::npos) {
      throw InputError({file.string(), line_number}, "expected '<file>,<class> <box>'");
    }
    found[line.substr(0, comma)] =
        label_of(line.substr(comma + 1, end - comma - 1), labels, {file.string(), line_number});
  }
  return found;
}

// The WordNet ids in the development kit's order. meta.mat is a MATLAB 5 file: a header of 128
// bytes, then elements of (type, size, content), type 15 being zlib data. Its table of synsets is
// ordered by ILSVRC2012_ID, so the ids come in that order; nothing else in it looks like an id.
std::vector<std::string> read_meta_mat(const fs::path& file) {
  std::ifstream stream = open_list(file);
  const std::string bytes(std::istreambuf_iterator<char>(stream), {});
  constexpr size_t kMostContent = 256 << 20;  // bytes; the published one has 5 MB
  std::string content;
  for (size_t at = 128; at + 8 <= bytes.size();) {
    uint32_t type = 0, size = 0;
    std::copy_n(bytes.data() + at, 4, reinterpret_cast<char*>(&type));
    std::copy_n(bytes.data() + at + 4, 4, reinterpret_cast<char*>(&size));
    at += 8;
    size = static_cast<uint32_t>(std::min<size_t>(size, bytes.size() - at));
    if (type == 15) {
      z_stream zip = {};
      inflateInit(&zip);
      zip.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data() + at));
      zip.avail_in = size;
      char piece[1 << 16];
      int status = Z_OK;
      while (status == Z_OK && content.size() < kMostContent) {
        zip.next_out = reinterpret_cast<Bytef*>(piece);
        zip.avail_out = sizeof(piece);
        status = inflate(&zip, Z_NO_FLUSH);
        content.append(piece, sizeof(piece) - zip.avail_out);
      }
      inflateEnd(&zip);
    }
    at += size;
  }
  // Text may be stored in one or in two bytes a letter.
  std::erase(content, '\0');
  static const std::regex kId("n[0-9]{8}");
  std::vector<std::string> ids;
  for (std::sregex_iterator at(content.begin(), content.end(), kId), end; at != end; ++at) {
    ids.push_back(at->str());
  }
  if (ids.size() < 1000) {
    throw InputError(file.string() + ": holds " + std::to_string(ids.size()) +
                     " WordNet ids; expected at least 1,000: is it ILSVRC2012's meta.mat?");
  }
  ids.resize(1000);
  return ids;
}

// Where the development kit's table of classes lies, seen from its numbers.
fs::path meta_mat(const fs::path& truth) {
  const fs::path beside = truth.parent_path() / "meta.mat";
  return is_there(beside) ? beside : truth.parent_path() / "ILSVRC2012_devkit_t12/data/meta.mat";
}

NameLabels read_development_kit(const fs::path& truth, const ClassLabels& labels) {
  const fs::path meta = meta_mat(truth);
  if (!is_there(meta)) {
    throw InputError(truth.string() +
                     ": its numbers are the development kit's own, not indices of classes; put the "
                     "kit's meta.mat beside it");
  }
  const std::vector<std::string> ids = read_meta_mat(meta);
  NameLabels found;
  int line_number = 0;
  for (const std::string& line : lines_of(truth)) {
    ++line_number;
    const Location where{truth.string(), line_number};
    if (line.size() > 4 || line.find_first_not_of("0123456789") != std::string::npos ||
        std::stoi(line) < 1 || std::stoi(line) > 1000) {
      throw InputError(where, "'" + line + "' is not a number between 1 and 1000");
    }
    char name[32];
    std::snprintf(name, sizeof(name), "ILSVRC2012_val_%08d", line_number);
    found[name] = label_of(ids[static_cast<size_t>(std::stoi(line) - 1)], labels, where);
  }
  return found;
}

}  // namespace

std::optional<LabelList> find_label_list(const fs::path& root, const ClassLabels& labels) {
  struct Source {
    const char* name;
    NameLabels (*read)(const fs::path&, const ClassLabels&);
  };
  static constexpr Source kSources[] = {
      {"val.txt", read_list},
      {"val_annotations.txt", read_list},
      {"LOC_val_solution.csv", read_kaggle},
      {"ILSVRC2012_validation_ground_truth.txt", read_development_kit},
      {"ILSVRC2012_devkit_t12/data/ILSVRC2012_validation_ground_truth.txt", read_development_kit}};
  for (const Source& source : kSources) {
    for (const fs::path& folder : {root, root / "val"}) {
      const fs::path file = folder / source.name;
      if (!is_there(file)) continue;
      LabelList list{.labels = source.read(file, labels), .files = {file}};
      if (source.read == read_development_kit) list.files.push_back(meta_mat(file));
      return list;
    }
  }
  return std::nullopt;
}

}  // namespace qbitopt
