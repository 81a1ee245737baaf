#pragma once

#include <memory>
#include <string>
#include <vector>

#include "qbitopt/core/error.h"
#include "qbitopt/quant/uniform_quantizer.h"

namespace qbitopt {

// The quantizers as UniformQuantizer. Throws InputError that names the metric and the first one of
// another kind.
inline std::vector<std::shared_ptr<UniformQuantizer>> uniform_quantizers(
    const std::string& metric, const std::vector<QuantizerPtr>& quantizers) {
  std::vector<std::shared_ptr<UniformQuantizer>> uniform;
  for (const QuantizerPtr& quantizer : quantizers) {
    uniform.push_back(std::dynamic_pointer_cast<UniformQuantizer>(quantizer));
    if (!uniform.back()) {
      throw InputError(
          "sensitivity '" + metric + "' needs uniform quantizers with a learned range; '" +
          quantizer->spec().name +
          "' is of another kind: choose sensitivity 'uniform' or 'random', or a method "
          "that keeps the standard quantizers");
    }
  }
  return uniform;
}

}  // namespace qbitopt
