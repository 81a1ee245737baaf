#pragma once

#include "qbitopt/methods/method.h"

namespace qbitopt {

// No quantizers. `fp32` trains the shared checkpoint from scratch; `fp32_continued` goes on from it
// for as many steps as the quantized rows: their fair reference.
class Fp32 : public Method {
 public:
  bool quantizes() const override { return false; }
};

}  // namespace qbitopt
