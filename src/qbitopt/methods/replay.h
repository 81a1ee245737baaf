#pragma once

#include "qbitopt/methods/method.h"

namespace qbitopt {

// LSQ from the shared checkpoint with the final bits of another job: its need `allocation`, a JSON
// object of quantizer names and bits. Separates the worth of an allocation from the quantizer and
// the dynamics of the method that found it.
class Replay : public Method {
 public:
  // Throws InputError if the file names a quantizer that the network has not, leaves one out, or
  // gives bits that are no candidate.
  void start(MethodContext& context) override;
};

}  // namespace qbitopt
