#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "qbitopt/data/imagenet_classes.h"

namespace qbitopt {

// An image of its own, or within an archive, whose name is then a part of the path.
struct LabelledFile {
  std::string path;  // below the root: "train/n01440764/a.JPEG" or "train/n01440764.tar/a.JPEG"
  int64_t label = 0;
  int64_t offset = 0;  // bytes: where it begins in its archive
  int64_t bytes = -1;  // -1: a file of its own, whole
};

// Of ILSVRC 2012 (Russakovsky et al., 2015).
inline constexpr size_t kPublishedTrainImages = 1'281'167;
inline constexpr size_t kPublishedValidationImages = 50'000;

// What lies in a folder with ImageNet's layout.
struct ImageNetFiles {
  std::filesystem::path root;
  std::vector<LabelledFile> train;       // sorted by path
  std::vector<LabelledFile> validation;  // likewise
  int64_t classes = 0;
};

// Lists `root`:
//   train/<class>/*.JPEG       also .jpg, .jpeg, .png, in any case of letters
//   val/<class>/*.JPEG         or the flat val/*.JPEG with labels in one of, below root or val:
//     val.txt                              "<file> <label>" a line; label: a class or its index
//     LOC_val_solution.csv                 Kaggle's: "<file without ending>,<class> <box>..."
//     ILSVRC2012_validation_ground_truth.txt   the development kit's numbers, with meta.mat beside
//                                          it or below ILSVRC2012_devkit_t12/data
// A tar archive stands for the folder that was packed: train/<class>.tar, train/*.tar with
// <class>/*.JPEG within, the published ILSVRC2012_img_train.tar (archives of classes) and
// ILSVRC2012_img_val.tar (flat) as they are. With 1,000 classes asked for, every folder must be one
// of imagenet_classes(), whose indices are the labels (a part of them is enough); with another
// number, there must be so many folders, in sorted order. Throws InputError: which file or folder,
// what was found and expected, how to lay the data out.
ImageNetFiles list_imagenet(const std::filesystem::path& root, int64_t classes);

// The bytes of one image, valid until this thread's next call. Throws BadImage if they cannot be
// read.
std::span<const uint8_t> read_image(const std::filesystem::path& root, const LabelledFile& file);

}  // namespace qbitopt
