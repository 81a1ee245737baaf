#pragma once

#include "qbitopt/methods/method.h"

namespace qbitopt::template_baseline {

// Narrows one tensor at a time while the network trains (Fox, 1966; Shoham and Gersho, 1988): the
// step of `until` * total steps brings the bits in use from the widest candidates down to the
// budget in a straight line, and the tensor that is narrowed next is the one whose noise energy
// rises least for what it saves:
//
//   E_q(b) = elements_q * r_q^2 / (12 (2^b - 1)^2)     (uniform noise of a grid of width r_q)
//   next q = argmin (E_q(b') - E_q(b)) / (w_q (b - b'))        b' the next candidate below b
//
// Everything follows from the quantizers' bits and ranges, which checkpoints carry: there is
// nothing to save.
class Template : public Method {
 public:
  explicit Template(const Parameters& parameters);

  void start(MethodContext& context) override;
  void after_step(MethodContext& context, const StepState& state) override;

 private:
  double until_;
};

// E_q(b) of a tensor of `elements` on a grid of this width.
double noise_energy(int64_t elements, double range, int bits);

// What a budget allows when `done` of the narrowing (0 .. 1) is over: from what the widest
// candidates use down to the budget's capacity, in the unit of capacity().
int64_t allowance(const Problem& problem, const Budget& budget, double done);

}  // namespace qbitopt::template_baseline
