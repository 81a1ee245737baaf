#pragma once

#include <cstdint>
#include <limits>
#include <vector>

namespace qbitopt {

// The least that a shrinking set of classes can pay to fill `left` > 0 units of slack, or to free
// -left of them: the linear relaxation over their steps away from the base, cheapest per load
// first.
class RestBound {
 public:
  struct Step {
    double ratio;   // paid per load, >= 0; rises within a class and direction
    double load;    // > 0: fills; < 0: frees
    double reach;   // no choice of the class that goes beyond the step before pays less in all
    int32_t owner;  // its class
  };
  // a + b * left for left >= from, up to the `from` of the piece before.
  struct Piece {
    double from, a, b;
  };

  // All classes are in. `steps`: in ascending order of ratio; those with reach >= limit are left
  // out. `price`: what a unit of slack costs that stays unfilled.
  void start(const std::vector<Step>& steps, int owners, double limit, double price);
  void remove(int owner);

  // The bound for the classes that are still in, as pieces in descending order of `left`; the last
  // one reaches to minus infinity. It is exact for the first few steps either way, and goes on as a
  // straight line.
  const Piece* pieces();

 private:
  struct Link {
    double ratio, load;
    int32_t before, after;
  };

  double price_ = 0;
  std::vector<Link> links_;  // 0 and 1: heads of the steps that fill and of those that free
  std::vector<int32_t> owned_first_, owned_;  // links of each owner
  std::vector<Piece> pieces_, filling_;
};

}  // namespace qbitopt
