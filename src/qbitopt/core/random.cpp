#include "qbitopt/core/random.h"

#include <cmath>
#include <numeric>
#include <utility>

namespace qbitopt {
namespace {

uint64_t mix(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

}  // namespace

Random::Random(uint64_t seed, std::string_view purpose, uint64_t a, uint64_t b) {
  uint64_t hash = 0xcbf29ce484222325ULL;  // FNV-1a of the purpose
  for (const unsigned char c : purpose) hash = (hash ^ c) * 0x100000001b3ULL;
  state_ =
      mix(mix(mix(mix(seed + 0x9e3779b97f4a7c15ULL) ^ hash) + a) + 0xd1b54a32d192ed03ULL * (b + 1));
}

uint64_t Random::next() { return mix(state_ += 0x9e3779b97f4a7c15ULL); }

double Random::uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

uint64_t Random::below(uint64_t bound) {
  // Lemire (2019): multiply, and reject the few values that would be favored.
  unsigned __int128 product = static_cast<unsigned __int128>(next()) * bound;
  if (static_cast<uint64_t>(product) < bound) {
    const uint64_t threshold = -bound % bound;
    while (static_cast<uint64_t>(product) < threshold)
      product = static_cast<unsigned __int128>(next()) * bound;
  }
  return static_cast<uint64_t>(product >> 64);
}

double Random::normal() {
  const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
  return radius * std::cos(6.283185307179586 * uniform());
}

std::vector<int64_t> Random::permutation(int64_t count) {
  std::vector<int64_t> order(static_cast<size_t>(count));
  std::iota(order.begin(), order.end(), int64_t{0});
  for (int64_t i = count - 1; i > 0; --i)
    std::swap(order[i], order[below(static_cast<uint64_t>(i) + 1)]);
  return order;
}

}  // namespace qbitopt
