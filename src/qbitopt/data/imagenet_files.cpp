#include "qbitopt/data/imagenet_files.h"

#include <zlib.h>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "qbitopt/core/error.h"
#include "qbitopt/core/names.h"
#include "qbitopt/data/image_file.h"
#include "qbitopt/data/tar_file.h"

namespace qbitopt {
namespace {

namespace fs = std::filesystem;
using Labels = std::map<std::string, int64_t>;  // by folder name or WordNet id

[[noreturn]] void refuse_layout(const fs::path& place, const std::string& what) {
  throw InputError(
      place.string() + ": " + what +
      "\nImageNet: data.root must hold train/<class>/*.JPEG and val/<class>/*.JPEG, or a flat "
      "val/*.JPEG with val.txt, LOC_val_solution.csv or the development kit; the published "
      "archives "
      "may stay packed as train/ILSVRC2012_img_train.tar and val/ILSVRC2012_img_val.tar; it is to "
      "be "
      "had from https://image-net.org after registration");
}

bool is_image_name(const std::string& name) {
  std::string ending = fs::path(name).extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  return ending == ".jpeg" || ending == ".jpg" || ending == ".png";
}

// Half of the data: folders of classes, or archives of them, and the images in them.
struct Listing {
  struct Image {
    std::string folder;  // empty: lies flat
    LabelledFile file;
  };
  std::set<std::string> folders;
  std::vector<Image> images;  // sorted by path

  bool is_flat() const { return folders.empty(); }
};

// The folder of "a/b/c.JPEG" is b, also where that is an archive.
std::string folder_of(const std::string& path) {
  std::string folder = fs::path(path).parent_path().filename().string();
  if (folder.ends_with(".tar")) folder.resize(folder.size() - 4);
  return folder;
}

[[noreturn]] void refuse_twice(const fs::path& place, const std::string& folder,
                               const std::string& one, const std::string& other) {
  throw InputError(
      place.string() + ": " + (folder.empty() ? "the images lie" : "class '" + folder + "' lies") +
      " both in " + one + " and in " + other +
      ", so that images would count twice; move one of the two out of " + place.string());
}

// `known`: the classes, if they are known already; an archive of images with another name is a flat
// folder.
Listing list_split(const fs::path& root, const std::string& split, const Labels* known) {
  Listing listing;
  std::map<std::string, std::string> places;  // folder -> the one place where its images may lie
  const auto add = [&](const std::string& folder, const std::string& place, LabelledFile file) {
    if (!folder.empty()) listing.folders.insert(folder);
    if (!is_image_name(file.path)) return;
    const auto [known_place, is_new] = places.try_emplace(folder, place);
    if (known_place->second != place)
      refuse_twice(root / split, folder, known_place->second, place);
    listing.images.push_back({folder, std::move(file)});
  };
  std::vector<fs::path> entries;
  for (const auto& entry : fs::directory_iterator(root / split)) entries.push_back(entry.path());
  std::sort(entries.begin(), entries.end());
  for (const fs::path& entry : entries) {
    const std::string name = entry.filename().string();
    if (name.starts_with(".")) continue;
    const std::string path = split + "/" + name;
    if (fs::is_directory(entry)) {
      listing.folders.insert(name);
      for (const auto& image : fs::directory_iterator(entry)) {
        const std::string file = image.path().filename().string();
        if (!image.is_directory() && !file.starts_with("."))
          add(name, path, {.path = path + "/" + file});
      }
    } else if (name.ends_with(".tar")) {
      for (const TarMember& member : list_tar(entry)) {
        const std::string inside = path + "/" + member.name;
        const std::string folder = folder_of(inside);
        if (fs::path(inside).filename().string().starts_with(".")) continue;
        const bool is_flat =
            known && member.name.find('/') == std::string::npos && !known->contains(folder);
        add(is_flat ? "" : folder, path,
            {.path = inside, .offset = member.offset, .bytes = member.bytes});
      }
    } else {
      add("", split + "/*", {.path = path});
    }
  }
  std::sort(listing.images.begin(), listing.images.end(),
            [](const auto& a, const auto& b) { return a.file.path < b.file.path; });
  return listing;
}

Labels labels_of(const fs::path& train, const std::set<std::string>& folders, int64_t classes) {
  if (folders.empty()) refuse_layout(train, "holds no folders of classes");
  Labels labels;
  if (classes != static_cast<int64_t>(imagenet_classes().size())) {
    if (static_cast<int64_t>(folders.size()) != classes) {
      refuse_layout(train, "holds " + std::to_string(folders.size()) +
                               " classes; data.classes is " + std::to_string(classes));
    }
    for (const std::string& folder : folders) {
      labels.emplace(folder, static_cast<int64_t>(labels.size()));
    }
    return labels;
  }
  for (const ImageNetClass& known : imagenet_classes()) {
    labels.emplace(known.id, static_cast<int64_t>(labels.size()));
  }
  for (const std::string& folder : folders) {
    if (!labels.contains(folder)) {
      refuse_layout(train,
                    "'" + folder +
                        "' is none of ImageNet's 1,000 classes, whose order the models' logits "
                        "have; for other classes set data.classes to their number");
    }
  }
  return labels;
}

// Images in folders; what lies beside the folders is left out.
std::vector<LabelledFile> label_folders(const fs::path& place, Listing listing,
                                        const Labels& labels) {
  for (const std::string& folder : listing.folders) {
    if (!labels.contains(folder)) refuse_layout(place, "class '" + folder + "' is not in train");
  }
  std::vector<LabelledFile> files;
  for (auto& [folder, file] : listing.images) {
    if (folder.empty()) continue;
    file.label = labels.at(folder);
    files.push_back(std::move(file));
  }
  return files;
}

std::vector<std::string> lines_of(const fs::path& file) {
  std::ifstream stream(file);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) {
    while (!line.empty() && std::isspace(static_cast<unsigned char>(line.back()))) line.pop_back();
    if (!line.empty()) lines.push_back(line);
  }
  return lines;
}

// A class or its index.
int64_t label_of(const std::string& text, const Labels& labels, const Location& where) {
  const auto found = labels.find(text);
  if (found != labels.end()) return found->second;
  const bool is_number =
      !text.empty() && text.size() < 7 && text.find_first_not_of("0123456789") == std::string::npos;
  if (is_number && std::stoll(text) < static_cast<int64_t>(labels.size())) return std::stoll(text);
  throw InputError(where, "'" + text + "' is neither a class nor an index below " +
                              std::to_string(labels.size()));
}

// File name without its ending -> label.
using NameLabels = std::map<std::string, int64_t>;

NameLabels read_val_txt(const fs::path& file, const Labels& labels) {
  NameLabels found;
  int line_number = 0;
  for (const std::string& line : lines_of(file)) {
    ++line_number;
    std::istringstream words(line);
    std::string name, label;
    words >> name >> label;
    found[fs::path(name).stem().string()] = label_of(label, labels, {file.string(), line_number});
  }
  return found;
}

NameLabels read_kaggle(const fs::path& file, const Labels& labels) {
  NameLabels found;
  int line_number = 0;
  for (const std::string& line : lines_of(file)) {
    if (++line_number == 1 && line.starts_with("ImageId")) continue;
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
  std::ifstream stream(file, std::ios::binary);
  const std::string bytes(std::istreambuf_iterator<char>(stream), {});
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
      while (status == Z_OK) {
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

NameLabels read_development_kit(const fs::path& truth, const Labels& labels) {
  fs::path meta = truth.parent_path() / "meta.mat";
  if (!fs::exists(meta)) meta = truth.parent_path() / "ILSVRC2012_devkit_t12/data/meta.mat";
  if (!fs::exists(meta)) {
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

std::vector<LabelledFile> label_flat(const fs::path& root, Listing listing, const Labels& labels) {
  struct Source {
    const char* name;
    NameLabels (*read)(const fs::path&, const Labels&);
  };
  const std::string truth = "ILSVRC2012_validation_ground_truth.txt";
  const std::string kit = "ILSVRC2012_devkit_t12/data/" + truth;
  const Source sources[] = {{"val.txt", read_val_txt},
                            {"LOC_val_solution.csv", read_kaggle},
                            {truth.c_str(), read_development_kit},
                            {kit.c_str(), read_development_kit}};
  for (const Source& source : sources) {
    for (const fs::path& folder : {root, root / "val"}) {
      const fs::path file = folder / source.name;
      if (!fs::exists(file)) continue;
      const NameLabels known = source.read(file, labels);
      std::vector<LabelledFile> files;
      for (auto& [folder, image] : listing.images) {
        const auto label = known.find(fs::path(image.path).stem().string());
        if (label == known.end()) refuse_layout(file, "has no label for " + image.path);
        image.label = label->second;
        files.push_back(std::move(image));
      }
      return files;
    }
  }
  refuse_layout(root / "val",
                "holds images without folders of classes, and no file with their labels");
}

}  // namespace

ImageNetFiles list_imagenet(const fs::path& root, int64_t classes) {
  for (const char* split : {"train", "val"}) {
    if (!fs::is_directory(root / split)) refuse_layout(root / split, "no such folder");
  }
  Listing train = list_split(root, "train", nullptr);
  const Labels labels = labels_of(root / "train", train.folders, classes);
  Listing validation = list_split(root, "val", &labels);
  if (train.images.empty()) refuse_layout(root / "train", "holds no images");
  if (validation.images.empty()) refuse_layout(root / "val", "holds no images");
  ImageNetFiles files{.root = root, .classes = classes};
  files.train = label_folders(root / "train", std::move(train), labels);
  files.validation = validation.is_flat()
                         ? label_flat(root, std::move(validation), labels)
                         : label_folders(root / "val", std::move(validation), labels);
  return files;
}

std::span<const uint8_t> read_image(const fs::path& root, const LabelledFile& file) {
  thread_local std::vector<uint8_t> bytes;
  const bool is_member = file.bytes >= 0;
  const std::string archive = file.path.substr(0, file.path.find(".tar/") + 4);
  std::ifstream stream(root / (is_member ? archive : file.path), std::ios::binary | std::ios::ate);
  if (!stream) throw BadImage("cannot be opened");
  bytes.resize(static_cast<size_t>(is_member ? file.bytes : static_cast<int64_t>(stream.tellg())));
  stream.seekg(file.offset);
  stream.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!stream) throw BadImage("cannot be read to its end");
  return bytes;
}

}  // namespace qbitopt
