#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "qbitopt/models/graph_network.h"

namespace qbitopt {

// One dimension of a tensor: `size`, times the number of images if it grows with them.
struct TracedSize {
  int64_t size = 1;
  bool is_per_image = false;
  bool operator==(const TracedSize&) const = default;
};

// What running a network tells of one of its values.
struct TracedValue {
  bool is_read = false;  // it was made: nothing below is known otherwise
  // Of a tensor.
  torch::ScalarType type = torch::kFloat32;
  std::vector<TracedSize> shape;
  // It does not depend on the images, and no quantizer made it.
  bool is_constant = false;
  // Then its content, if an operator that is no constant reads it.
  torch::Tensor constant;
  // Of a whole number that is the same for any number of images.
  std::optional<int64_t> number;

  int64_t rank() const { return static_cast<int64_t>(shape.size()); }
  // Throws std::logic_error if the dimension grows with the images. -1: the last one.
  int64_t fixed_size(int64_t dimension) const;
};

// Shapes, types and constants of all values of network.graph(), in its numbering. The network runs
// in evaluation mode, with its quantizers, on two and on three images of this shape; what grows
// with them is told from the two. Throws InputError that names an operator whose output grows
// otherwise.
std::vector<TracedValue> trace(GraphNetwork& network, const std::vector<int64_t>& image_shape);

}  // namespace qbitopt
