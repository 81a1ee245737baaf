#pragma once

namespace qbitopt {

// What comes right before an activation quantizer and is applied by it in the same pass. Without a
// quantizer (fp32) the site applies it alone.
enum class Activation {
  kIdentity,
  kRelu,
  kRelu6,
  kHardSwish,  // x relu6(x + 3) / 6; a pass of its own, before the quantizer's
};

}  // namespace qbitopt
