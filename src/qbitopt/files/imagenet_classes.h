#pragma once

#include <string>
#include <vector>

namespace qbitopt {

// The 1,000 classes of ILSVRC 2012 in the order of their WordNet ids, which is the order of every
// published model's logits: {"n01440764", "tench"}, ...
struct ImageNetClass {
  std::string id;
  std::string name;
};
const std::vector<ImageNetClass>& imagenet_classes();

}  // namespace qbitopt
