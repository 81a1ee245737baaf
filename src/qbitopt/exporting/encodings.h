#pragma once

#include <string>
#include <vector>

#include "qbitopt/exporting/to_onnx.h"

namespace qbitopt {

// How the file of encodings is written that AIMET exports beside a model and that runtimes read:
// "0.6.1", an object by tensor with minimum and maximum, or "1.0.0", a list with names and scales.
enum class EncodingsVersion { k0_6_1, k1_0_0 };

// The file's text. A value is scale * (code + offset), where codes begin at 0 and `offset` is the
// lowest integer of the grid.
std::string encodings_file(const std::vector<OnnxEncoding>& encodings, EncodingsVersion version);

}  // namespace qbitopt
