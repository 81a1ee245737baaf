#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace qbitopt {

// Random numbers that depend on (seed, purpose, a, b) and on nothing else: neither on what was
// drawn before nor on the number of threads, so that a resumed job or the tenth job of a worker
// draws what a fresh one draws. The stream is SplitMix64 (Steele et al., 2014) from a hash of the
// key; the same on every platform.
class Random {
 public:
  Random(uint64_t seed, std::string_view purpose, uint64_t a = 0, uint64_t b = 0);

  uint64_t next();                 // 64 random bits
  double uniform();                // in [0, 1), 53 random bits
  uint64_t below(uint64_t bound);  // in [0, bound), without bias; bound > 0
  double normal();                 // mean 0, variance 1

  // A random order of 0 .. count - 1.
  std::vector<int64_t> permutation(int64_t count);

 private:
  uint64_t state_;
};

}  // namespace qbitopt
