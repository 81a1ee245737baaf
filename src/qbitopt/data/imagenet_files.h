#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "qbitopt/data/imagenet_classes.h"

namespace qbitopt {

struct LabelledFile {
  std::string path;  // below the root: "train/n01440764/n01440764_10026.JPEG"
  int64_t label = 0;
};

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
//     it or
//                                          below ILSVRC2012_devkit_t12/data
// With 1,000 classes asked for, every folder must be one of imagenet_classes(), whose indices are
// the labels (a part of them is enough); with another number, there must be so many folders, in
// sorted order. Throws InputError: which file or folder, what was found and expected, how to lay
// the data out.
ImageNetFiles list_imagenet(const std::filesystem::path& root, int64_t classes);

}  // namespace qbitopt
