#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace qbitopt {

using ClassLabels = std::map<std::string, int64_t>;  // by folder name or WordNet id

// The labels of flat images.
struct LabelList {
  std::map<std::string, int64_t> labels;     // by file name without its ending
  std::vector<std::filesystem::path> files;  // that it was read from, the list itself first
};

// The first of these that lies in root or root/val; nullopt if there is none:
//   val.txt               "<file> <label>" a line; label: a class or its index
//   val_annotations.txt   the same, as Tiny ImageNet brings it
//   LOC_val_solution.csv  Kaggle's: "<file without ending>,<class> <box>..."
//   ILSVRC2012_validation_ground_truth.txt   the development kit's numbers, with meta.mat beside it
//                         or below ILSVRC2012_devkit_t12/data
// Throws InputError with the line of what is wrong.
std::optional<LabelList> find_label_list(const std::filesystem::path& root,
                                         const ClassLabels& labels);

}  // namespace qbitopt
