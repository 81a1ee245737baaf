#pragma once

#include <cstdlib>

#include "qbitopt/weights/tensor_index.h"
#include "qbitopt/weights/wrappers.h"

namespace qbitopt {

// What readers of an index rely on, computed in 128 bits. Aborts if it does not hold.
inline void expect_sound(const TensorIndex& tensors, size_t file_size) {
  const auto expect = [](bool is_true) {
    if (!is_true) std::abort();
  };
  for (const auto& [name, tensor] : tensors) {
    expect(tensor.values.begin <= file_size);
    expect(tensor.values.size <= file_size - tensor.values.begin);
    expect(tensor.shape.size() == tensor.strides.size() && tensor.offset >= 0);
    __int128 last = tensor.offset;
    bool is_empty = false;
    for (size_t i = 0; i < tensor.shape.size(); ++i) {
      expect(tensor.shape[i] >= 0 && tensor.strides[i] >= 0);
      is_empty |= tensor.shape[i] == 0;
      last += static_cast<__int128>(tensor.shape[i] - 1) * tensor.strides[i];
    }
    const int64_t bytes = value_bytes().at(tensor.type);
    expect(is_empty || (last + 1) * bytes <= static_cast<__int128>(tensor.values.size));
    expect(tensor.elements() * bytes <= static_cast<int64_t>(tensor.values.size));
  }
  expect(without_wrappers(tensors).size() <= tensors.size());
}

}  // namespace qbitopt
