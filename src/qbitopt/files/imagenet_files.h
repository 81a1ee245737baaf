#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "qbitopt/files/image_folders.h"
#include "qbitopt/files/imagenet_classes.h"

namespace qbitopt {

// Of ILSVRC 2012 (Russakovsky et al., 2015).
inline constexpr size_t kPublishedTrainImages = 1'281'167;
inline constexpr size_t kPublishedValidationImages = 50'000;

// What lies in a folder with ImageNet's layout.
struct ImageNetFiles {
  std::filesystem::path root;
  std::vector<LabeledFile> train;       // sorted by path
  std::vector<LabeledFile> validation;  // likewise
  int64_t classes = 0;
  std::vector<std::string> class_names;  // by label: names of folders
  std::vector<std::string> sources;      // archives and lists of labels below root, sorted
  std::vector<LeftOut> left_out;         // of train, then of val
};

// Lists `root`:
//   train/<class>/*.JPEG       also .jpg, .jpeg, .png, in any case of letters, and deeper
//   val/<class>/*.JPEG         or the flat val/*.JPEG with a list of labels (find_label_list())
// or packed, or flat with the class in each name (list_image_folders()). Folders without images are
// left out, as `lost+found` or `__MACOSX`. With 1,000 classes asked for, every folder of images must
// be one of imagenet_classes(), whose indices are the labels (a part of them is enough); with
// another number, there must be so many folders of images, in sorted order. Throws InputError: which
// file or folder, what was found and expected, how to lay the data out.
//
// Archives that have more than `most_archive_bytes` together are not opened, which for ImageNet's
// can take minutes: then they are in `sources`, and neither classes nor labels are looked at.
//
// The driver counts by this list what a data set is, and the worker opens it by the same: what one
// takes the other takes.
ImageNetFiles list_imagenet(const std::filesystem::path& root, int64_t classes,
                            int64_t most_archive_bytes = std::numeric_limits<int64_t>::max());

}  // namespace qbitopt
