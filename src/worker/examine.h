#pragma once

#include <string>
#include <vector>

namespace qbitopt::worker {

// `qbitopt doctor --data FOLDER [--classes N] [--threads N] [--json]`: decodes every image of a
// folder with ImageNet's layout, and prints how many there are, how many are published, and which
// cannot be read. Returns the exit status, 2 if images are missing or damaged; throws InputError.
int examine(const std::vector<std::string>& arguments);

}  // namespace qbitopt::worker
