#include "qbitopt/files/imagenet_files.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "qbitopt/core/error.h"
#include "qbitopt/files/image_labels.h"
#include "qbitopt/files/readable_file.h"

namespace qbitopt {
namespace {

namespace fs = std::filesystem;
using Image = ImageFolders::Image;

[[noreturn]] void refuse_layout(const fs::path& place, const std::string& what) {
  throw InputError(
      place.string() + ": " + what +
      "\nImageNet: data.root must hold train/<class>/*.JPEG and val/<class>/*.JPEG, or a flat "
      "val/*.JPEG with val.txt, LOC_val_solution.csv or the development kit; the published "
      "archives may stay packed as train/ILSVRC2012_img_train.tar and val/ILSVRC2012_img_val.tar; "
      "it is to be had from https://image-net.org after registration");
}

// Where below `root` a folder holds train and val; empty: nowhere near.
fs::path find_below(const fs::path& root) {
  constexpr int kDeepest = 3, kMostFolders = 1000;
  int seen = 0;
  std::error_code error;
  for (fs::recursive_directory_iterator at(root, error), end; !error && at != end;
       at.increment(error)) {
    if (++seen > kMostFolders) break;
    std::error_code unreadable;
    if (at.depth() == kDeepest || !at->is_directory(unreadable)) {
      at.disable_recursion_pending();
      continue;
    }
    if (fs::is_directory(at->path() / "train", unreadable) &&
        fs::is_directory(at->path() / "val", unreadable))
      return at->path();
  }
  return {};
}

void expect_folder(const fs::path& root, const std::string& split) {
  const fs::path folder = root / split;
  std::error_code error;
  if (fs::is_directory(folder, error)) return;
  const std::string fault = fault_of_file(folder);
  if (fault.empty()) refuse_layout(folder, "is a file; expected a folder");
  if (fault != "no such file") refuse_layout(folder, fault);
  const fs::path below = find_below(root);
  refuse_layout(folder,
                "no such folder" + (below.empty() ? ""
                                                  : "; train and val lie in " + below.string() +
                                                        ": set data.root to that"));
}

// "'cat', 'dog'", at most ten.
std::string listed(const std::vector<std::string>& names) {
  constexpr size_t kMost = 10;
  std::string text;
  for (size_t i = 0; i < std::min(names.size(), kMost); ++i)
    text += (i > 0 ? ", '" : "'") + names[i] + "'";
  return names.size() > kMost ? text + " and " + std::to_string(names.size() - kMost) + " more"
                              : text;
}

// "; train/lost+found holds no images".
std::string left_out_text(const std::vector<LeftOut>& left_out) {
  std::string text;
  for (const LeftOut& what : left_out) text += "; " + text_of(what);
  return text;
}

void expect_images(const fs::path& place, const ImageFolders& half) {
  if (half.images.empty() && !half.are_archives_closed)
    refuse_layout(place, "holds no images" + left_out_text(half.left_out));
}

ClassLabels published_labels(const fs::path& train, const std::vector<std::string>& folders) {
  ClassLabels labels;
  for (const ImageNetClass& known : imagenet_classes())
    labels.emplace(known.id, static_cast<int64_t>(labels.size()));
  for (const std::string& folder : folders) {
    if (labels.contains(folder)) continue;
    refuse_layout(train,
                  "'" + folder +
                      "' is none of ImageNet's 1,000 classes, whose order the models' logits "
                      "have; for other classes set data.classes to their number");
  }
  return labels;
}

ClassLabels sorted_labels(const fs::path& train, const ImageFolders& half,
                          const std::vector<std::string>& folders, int64_t classes) {
  if (static_cast<int64_t>(folders.size()) != classes) {
    refuse_layout(train, "holds " + std::to_string(folders.size()) + " classes; data.classes is " +
                             std::to_string(classes) + "; they are " + listed(folders) +
                             left_out_text(half.left_out));
  }
  ClassLabels labels;
  for (const std::string& folder : folders)
    labels.emplace(folder, static_cast<int64_t>(labels.size()));
  return labels;
}

// A class is a folder of train with images in it, or in the folder of that name in val.
ClassLabels labels_of(const fs::path& train, const ImageFolders& half, const ImageFolders& val,
                      int64_t classes) {
  std::vector<std::string> folders = half.folders();
  if (folders.empty()) {
    refuse_layout(train, "holds no folders of classes: its " + std::to_string(half.images.size()) +
                             " images lie flat, as " + half.images.front().file.path +
                             ", and no name ends in a class, as in n02124075_10_n02124075.JPEG");
  }
  for (const std::string& folder : val.folders()) {
    if (half.bare.contains(folder)) folders.push_back(folder);
  }
  std::sort(folders.begin(), folders.end());
  return classes == static_cast<int64_t>(imagenet_classes().size())
             ? published_labels(train, folders)
             : sorted_labels(train, half, folders, classes);
}

// Half of the data with its labels.
class Labeled {
 public:
  Labeled(ImageNetFiles& all, const char* split, const ClassLabels& labels)
      : all_(all), split_(split), labels_(labels) {}

  std::vector<LabeledFile> by_folders(ImageFolders half) {
    const fs::path place = all_.root / split_;
    std::vector<LabeledFile> files;
    files.reserve(half.images.size());
    for (Image& image : half.images) {
      if (image.folder.empty()) {
        leave_out(all_.left_out, {"lies beside the folders of classes", image.file.path});
        continue;
      }
      const auto label = labels_.find(image.folder);
      if (label == labels_.end()) {
        refuse_layout(place, "class '" + image.folder + "' is not in train (" + image.file.path +
                                 " lies in it)");
      }
      image.file.label = label->second;
      files.push_back(std::move(image.file));
    }
    note(half);
    return files;
  }

  std::vector<LabeledFile> by_list(ImageFolders half, const LabelList& list) {
    for (const fs::path& file : list.files)
      all_.sources.push_back(file.lexically_relative(all_.root).generic_string());
    std::vector<LabeledFile> files;
    files.reserve(half.images.size());
    for (Image& image : half.images) {
      const auto label = list.labels.find(fs::path(image.file.path).stem().string());
      if (label == list.labels.end())
        refuse_layout(list.files.front(), "has no label for " + image.file.path);
      image.file.label = label->second;
      files.push_back(std::move(image.file));
    }
    note(half);
    return files;
  }

  // Without labels: archives stay closed.
  std::vector<LabeledFile> loose(ImageFolders half) {
    std::vector<LabeledFile> files;
    for (Image& image : half.images) files.push_back(std::move(image.file));
    note(half);
    return files;
  }

 private:
  void note(const ImageFolders& half) {
    all_.sources.insert(all_.sources.end(), half.archives.begin(), half.archives.end());
    for (const LeftOut& what : half.left_out) leave_out(all_.left_out, what);
  }

  ImageNetFiles& all_;
  const std::string split_;
  const ClassLabels& labels_;
};

// A class of ImageNet's whose folder cannot be read is a fault and no matter of taste.
void expect_readable(const fs::path& place, const ImageFolders& half, const ClassLabels& labels) {
  for (const auto& [folder, reason] : half.bare) {
    if (!reason.empty() && labels.contains(folder))
      refuse_layout(place, "class '" + folder + "' " + reason);
  }
}

}  // namespace

ImageNetFiles list_imagenet(const fs::path& root, int64_t classes, int64_t most_archive_bytes) {
  for (const char* split : {"train", "val"}) expect_folder(root, split);
  ImageNetFiles all{.root = root, .classes = classes};
  ImageFolders train =
      list_image_folders(root, "train", {.most_archive_bytes = most_archive_bytes});
  expect_images(root / "train", train);
  const std::vector<std::string> trained = train.folders();
  ImageFolders val =
      list_image_folders(root, "val",
                         {.is_class =
                              [&](const std::string& name) {
                                return std::binary_search(trained.begin(), trained.end(), name) ||
                                       train.bare.contains(name);
                              },
                          .most_archive_bytes = most_archive_bytes});
  ClassLabels labels;
  if (!train.are_archives_closed) labels = labels_of(root / "train", train, val, classes);
  expect_images(root / "val", val);
  Labeled train_half(all, "train", labels), val_half(all, "val", labels);
  if (train.are_archives_closed || val.are_archives_closed) {
    all.train = train_half.loose(std::move(train));
    all.validation = val_half.loose(std::move(val));
  } else {
    expect_readable(root / "train", train, labels);
    expect_readable(root / "val", val, labels);
    all.class_names.resize(labels.size());
    for (const auto& [name, label] : labels) all.class_names[static_cast<size_t>(label)] = name;
    all.train = train_half.by_folders(std::move(train));
    const std::vector<std::string> folders = val.folders();
    const bool has_classes = std::any_of(folders.begin(), folders.end(), [&](const auto& folder) {
      return labels.contains(folder);
    });
    const auto list = has_classes ? std::nullopt : find_label_list(root, labels);
    if (!has_classes && !list && folders.empty()) {
      refuse_layout(root / "val",
                    "holds images without folders of classes, and no file with their labels");
    }
    all.validation =
        list ? val_half.by_list(std::move(val), *list) : val_half.by_folders(std::move(val));
  }
  std::sort(all.sources.begin(), all.sources.end());
  return all;
}

}  // namespace qbitopt
