// Reads any bytes as an array of numpy: all of its values must lie within the file.
#include <cstdlib>

#include "qbitopt/weights/npz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view file(reinterpret_cast<const char*>(data), size);
  try {
    const qbitopt::StoredTensor tensor = qbitopt::read_npy(file);
    int64_t last = tensor.offset;
    for (size_t axis = 0; axis < tensor.shape.size(); ++axis)
      last += (tensor.shape[axis] - 1) * tensor.strides[axis];
    const int64_t bytes = qbitopt::value_bytes().at(tensor.type);
    if (tensor.elements() > 0 && (last + 1) * bytes > static_cast<int64_t>(size)) std::abort();
  } catch (const qbitopt::BadWeights&) {
  }
  return 0;
}
