#pragma once

#include "qbitopt/methods/method.h"

namespace qbitopt {

// Every counted tensor at the budget's bits (rounded down to a candidate), ranges learned: LSQ
// (Esser et al., 2020).
class FixedPrecision : public Method {
 public:
  void start(MethodContext& context) override;
};

// Sets these bits, fits the ranges to them and reports an allocation of status "initial".
void start_with_bits(MethodContext& context, const std::vector<int>& bits);

}  // namespace qbitopt
