#pragma once

#include <string>
#include <vector>

namespace qbitopt::worker {

// `qbitopt models --quantizers NAME [--json] [--image_size N] [--channels N]`: every quantizer of a
// network in the order of execution: name, kind, grid, elements and MACs an image, bits when
// pinned. Returns the exit status; throws InputError.
int inventory(const std::vector<std::string>& arguments);

}  // namespace qbitopt::worker
