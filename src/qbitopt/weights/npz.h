#pragma once

#include <string_view>

#include "qbitopt/weights/tensor_index.h"

namespace qbitopt {

// One array as numpy.save writes it (numpy.lib.format, versions 1 to 3), whose values begin after
// the header. Throws BadWeights for one that is damaged, is cut off, or holds other things than
// numbers (or numbers in big-endian order).
StoredTensor read_npy(std::string_view file);

// The arrays of a file of numpy.savez or savez_compressed, by name ("x_train"). Compressed arrays
// are unpacked for a look at their headers. Throws BadWeights as above, with the array's name.
TensorIndex index_npz(std::string_view file);

}  // namespace qbitopt
