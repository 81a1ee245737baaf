#include "qbitopt/data/resize.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <numeric>
#include <type_traits>
#include <vector>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace qbitopt {
namespace {

// Four channels of one pixel, in one register.
typedef float Pixel __attribute__((vector_size(16)));

// For each output position the source positions it reads and their weights, which sum to 1.
struct Taps {
  struct Position {
    int first = 0;
    int count = 0;
    size_t weights = 0;  // where they begin
  };
  std::vector<Position> positions;  // [size]
  std::vector<float> weights;
};

// The box [start, start + length) becomes `size` positions; source positions lie in [low, high).
void make_taps(double start, double length, int low, int high, int size, Taps& taps) {
  const double ratio = length / size;
  const double support = filter_support(length, size);
  taps.positions.clear();
  taps.weights.clear();
  for (int i = 0; i < size; ++i) {
    const double center = start + (i + 0.5) * ratio;
    const int first =
        std::clamp(static_cast<int>(std::floor(center - support + 0.5)), low, high - 1);
    const int end =
        std::clamp(static_cast<int>(std::floor(center + support + 0.5)), first + 1, high);
    double sum = 0;
    for (int k = first; k < end; ++k)
      sum += std::max(0.0, 1 - std::abs(k + 0.5 - center) / support);
    taps.positions.push_back({first, end - first, taps.weights.size()});
    for (int k = first; k < end; ++k) {
      const double weight = std::max(0.0, 1 - std::abs(k + 0.5 - center) / support);
      taps.weights.push_back(static_cast<float>(sum > 0 ? weight / sum : 1.0 / (end - first)));
    }
  }
}

// As many taps at every position, the ones added weigh nothing: a loop over them is foreseen. They
// may read that many positions beyond the last.
int make_even(Taps& taps) {
  int most = 0;
  for (const Taps::Position& position : taps.positions) most = std::max(most, position.count);
  std::vector<float> weights(taps.positions.size() * static_cast<size_t>(most));
  auto to = weights.begin();
  for (const Taps::Position& position : taps.positions) {
    const auto from = taps.weights.begin() + static_cast<std::ptrdiff_t>(position.weights);
    std::copy(from, from + position.count, to);
    to += most;
  }
  taps.weights = std::move(weights);
  return most;
}

// Weights of rows are integers, so that two rows are multiplied and added at once.
constexpr int kOne = 1 << 14;

// They add up to kOne at each position, so that nothing becomes brighter than white.
std::vector<int16_t> integer_weights(const Taps& taps) {
  std::vector<int16_t> weights;
  for (const float weight : taps.weights)
    weights.push_back(static_cast<int16_t>(std::lround(kOne * weight)));
  for (const Taps::Position& position : taps.positions) {
    const auto begin = weights.begin() + static_cast<std::ptrdiff_t>(position.weights);
    const auto end = begin + position.count;
    *std::max_element(begin, end) += static_cast<int16_t>(kOne - std::accumulate(begin, end, 0));
  }
  weights.push_back(0);  // read, not used, as the partner of a last row
  return weights;
}

#ifdef __SSE2__
// out[i] = sum over taps of weight * row[i]. Works on whole groups of 16: what lies behind `count`
// must be there.
void combine_rows(const uint8_t* rows, size_t stride, const int16_t* weights, int taps,
                  size_t count, float* out) {
  const __m128i zero = _mm_setzero_si128();
  const auto load = [](const uint8_t* from) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  };
  for (size_t i = 0; i < count; i += 16) {
    __m128i sums[4] = {zero, zero, zero, zero};
    for (int tap = 0; tap < taps; tap += 2) {
      const uint8_t* row = rows + static_cast<size_t>(tap) * stride + i;
      const bool is_last = tap + 1 == taps;
      const __m128i a = load(row), b = is_last ? zero : load(row + stride);
      const __m128i pair = _mm_set1_epi32(weights[tap] | static_cast<int>(weights[tap + 1]) << 16);
      const __m128i low = _mm_unpacklo_epi8(a, b), high = _mm_unpackhi_epi8(a, b);
      sums[0] = _mm_add_epi32(sums[0], _mm_madd_epi16(_mm_unpacklo_epi8(low, zero), pair));
      sums[1] = _mm_add_epi32(sums[1], _mm_madd_epi16(_mm_unpackhi_epi8(low, zero), pair));
      sums[2] = _mm_add_epi32(sums[2], _mm_madd_epi16(_mm_unpacklo_epi8(high, zero), pair));
      sums[3] = _mm_add_epi32(sums[3], _mm_madd_epi16(_mm_unpackhi_epi8(high, zero), pair));
    }
    for (int k = 0; k < 4; ++k) _mm_storeu_ps(out + i + 4 * k, _mm_cvtepi32_ps(sums[k]));
  }
}
#else
void combine_rows(const uint8_t* rows, size_t stride, const int16_t* weights, int taps,
                  size_t count, float* out) {
  for (size_t i = 0; i < count; ++i) {
    int32_t sum = 0;
    for (int tap = 0; tap < taps; ++tap) {
      sum += static_cast<int32_t>(weights[tap]) * rows[static_cast<size_t>(tap) * stride + i];
    }
    out[i] = static_cast<float>(sum);
  }
}
#endif

// Added to a small number it leaves no digits behind the point: the nearest whole number stands in
// the lowest bits.
constexpr float kWhole = 3 << 22;

// store(place, pixel): pixels of the resized image, one after another, as bytes plus kWhole.
template <typename Store>
void resize(const DecodedCrop& crop, int size, bool mirrored, Store store) {
  thread_local Taps across, along;
  thread_local std::vector<float> row;
  const int left = static_cast<int>(crop.bounds.x), top = static_cast<int>(crop.bounds.y);
  const int width = static_cast<int>(crop.bounds.width);
  const int height = static_cast<int>(crop.bounds.height);
  make_taps(crop.box.x - left, crop.box.width, 0, width, size, across);
  make_taps(crop.box.y, crop.box.height, top, top + height, size, along);
  const std::vector<int16_t> row_weights = integer_weights(along);
  for (float& weight : across.weights) weight /= kOne;
  const int taps = make_even(across);
  row.resize(static_cast<size_t>(width + std::max(4, taps)) * 4);

  const size_t stride = static_cast<size_t>(crop.width) * 4;
  // Of their own, as bytes that are stored may lie anywhere to the compiler.
  const Taps::Position* const positions = across.positions.data();
  const float* const column_weights = across.weights.data();
  const float* const combined = row.data();
  for (int y = 0; y < size; ++y) {
    const Taps::Position& rows = along.positions[static_cast<size_t>(y)];
    combine_rows(crop.pixels.data() + static_cast<size_t>(rows.first) * stride + left * 4, stride,
                 row_weights.data() + rows.weights, rows.count, static_cast<size_t>(width) * 4,
                 row.data());
    const size_t line = static_cast<size_t>(y) * static_cast<size_t>(size);
    const auto fill_line = [&](auto taps) {
      for (int x = 0; x < size; ++x) {
        const int from = mirrored ? size - 1 - x : x;
        const float* weights = column_weights + from * taps;
        const float* source = combined + positions[from].first * 4;
        Pixel sum = {};
        for (int tap = 0; tap < taps; ++tap, source += 4) {
          Pixel pixel;
          std::memcpy(&pixel, source, sizeof(pixel));
          sum += pixel * weights[tap];
        }
        store(line + static_cast<size_t>(x), sum + kWhole);
      }
    };
    switch (taps) {  // usual ones are unrolled
      case 2:
        fill_line(std::integral_constant<int, 2>());
        break;
      case 3:
        fill_line(std::integral_constant<int, 3>());
        break;
      case 4:
        fill_line(std::integral_constant<int, 4>());
        break;
      case 5:
        fill_line(std::integral_constant<int, 5>());
        break;
      default:
        fill_line(taps);
    }
  }
}

// Four values of a pixel, the last of which the next pixel overwrites; of the last pixel three.
template <typename Value, typename Four>
void store_pixel(const Four& pixel, bool is_last, Value* target) {
  static_assert(sizeof(Four) == 4 * sizeof(Value));
  if (is_last) {
    std::memcpy(target, &pixel, 3 * sizeof(Value));
  } else {
    std::memcpy(target, &pixel, 4 * sizeof(Value));
  }
}

size_t last_place(int size) { return static_cast<size_t>(size) * static_cast<size_t>(size) - 1; }

}  // namespace

void resize_crop(const DecodedCrop& crop, int size, bool mirrored, uint8_t* target) {
  typedef uint32_t Bits __attribute__((vector_size(16)));
  typedef uint8_t Bytes __attribute__((vector_size(4)));
  resize(crop, size, mirrored, [=, last = last_place(size)](size_t place, const Pixel& pixel) {
    const Bytes bytes = __builtin_convertvector(std::bit_cast<Bits>(pixel), Bytes);
    store_pixel(bytes, place == last, target + 3 * place);
  });
}

void resize_crop(const DecodedCrop& crop, int size, bool mirrored,
                 const Normalization& normalization, float* target) {
  Pixel scale = {}, shift = {};
  for (size_t c = 0; c < 3; ++c) {
    scale[c] = normalization.scale(c);
    shift[c] = normalization.shift(c);
  }
  resize(crop, size, mirrored, [=, last = last_place(size)](size_t place, const Pixel& pixel) {
    const Pixel normalized = (pixel - kWhole) * scale + shift;
    store_pixel(normalized, place == last, target + 3 * place);
  });
}

}  // namespace qbitopt
