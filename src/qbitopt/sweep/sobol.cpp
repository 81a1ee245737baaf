#include "qbitopt/sweep/sobol.h"

#include <array>
#include <cstddef>
#include <vector>

namespace qbitopt {
namespace {

constexpr int kBits = 32;
using Directions = std::array<uint32_t, kBits>;

// A primitive polynomial of this degree, its inner coefficients as bits, and the first odd numbers
// m_1, m_2, ... of a dimension.
struct Polynomial {
  int degree;
  uint32_t coefficients;
  std::vector<uint32_t> first;
};

// Of the dimensions from the second on.
const std::array<Polynomial, kSobolDimensions - 1>& polynomials() {
  static const std::array<Polynomial, kSobolDimensions - 1> known = {{
      {1, 0, {1}},
      {2, 1, {1, 3}},
      {3, 1, {1, 3, 1}},
      {3, 2, {1, 1, 1}},
      {4, 1, {1, 1, 3, 3}},
      {4, 4, {1, 3, 5, 13}},
      {5, 2, {1, 1, 5, 5, 17}},
      {5, 4, {1, 1, 5, 5, 5}},
      {5, 7, {1, 1, 7, 11, 19}},
      {5, 11, {1, 1, 5, 1, 1}},
      {5, 13, {1, 1, 1, 3, 11}},
      {5, 14, {1, 3, 5, 5, 31}},
      {6, 1, {1, 3, 3, 9, 7, 49}},
      {6, 13, {1, 1, 1, 15, 21, 21}},
      {6, 16, {1, 3, 1, 13, 27, 49}},
  }};
  return known;
}

// v_i = m_i / 2^i, where with the degree s and the coefficients a_1 ... a_(s-1)
//   m_i = 2 a_1 m_(i-1) ^ 2^2 a_2 m_(i-2) ^ ... ^ 2^(s-1) a_(s-1) m_(i-s+1) ^ 2^s m_(i-s) ^ m_(i-s).
Directions directions_of(const Polynomial& polynomial) {
  Directions v{};
  const int s = polynomial.degree;
  for (int i = 0; i < kBits; ++i) {
    if (i < s) {
      v[static_cast<size_t>(i)] = polynomial.first[static_cast<size_t>(i)] << (kBits - 1 - i);
      continue;
    }
    const uint32_t last = v[static_cast<size_t>(i - s)];
    uint32_t next = last ^ (last >> s);
    for (int k = 1; k < s; ++k) {
      if (polynomial.coefficients >> (s - 1 - k) & 1) next ^= v[static_cast<size_t>(i - k)];
    }
    v[static_cast<size_t>(i)] = next;
  }
  return v;
}

const Directions& directions(int dimension) {
  static const std::array<Directions, kSobolDimensions> all = [] {
    std::array<Directions, kSobolDimensions> table{};
    for (int i = 0; i < kBits; ++i) table[0][static_cast<size_t>(i)] = 1U << (kBits - 1 - i);
    for (size_t d = 1; d < table.size(); ++d) table[d] = directions_of(polynomials()[d - 1]);
    return table;
  }();
  return all[static_cast<size_t>(dimension)];
}

}  // namespace

uint32_t sobol(int dimension, uint32_t index) {
  const Directions& v = directions(dimension);
  const uint32_t gray = index ^ (index >> 1);
  uint32_t x = 0;
  for (size_t bit = 0; bit < kBits; ++bit) {
    if (gray >> bit & 1) x ^= v[bit];
  }
  return x;
}

}  // namespace qbitopt
