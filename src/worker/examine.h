#pragma once

#include <string>
#include <vector>

namespace qbitopt::worker {

// `qbitopt doctor --data FOLDER [--classes N] [--threads N] [--json]`: counts the images of a
// folder with ImageNet's layout and decodes every one: how many there are, how many are published,
// which cannot be read. Returns the exit status, 2 if something is missing or damaged; throws
// InputError.
int examine(const std::vector<std::string>& arguments);

}  // namespace qbitopt::worker
