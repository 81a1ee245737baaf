#include "qbitopt/report/figures/style.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

namespace qbitopt {
namespace {

// gnuplot's point types, filled; the hollow one is the number before.
constexpr int kCircle = 7;
constexpr int kSquare = 5;
constexpr int kUp = 9;
constexpr int kDown = 11;
constexpr int kDiamond = 13;
constexpr int kPentagon = 15;

const std::map<std::string, std::pair<const char*, int>> kKnown = {
    {"qbitopt", {"#d55e00", kCircle}},           {"static_allocation", {"#0072b2", kSquare}},
    {"fixed_precision", {"#009e73", kUp}},       {"random_allocation", {"#cc79a7", kDiamond}},
    {"random_reallocation", {"#e69f00", kDown}}, {"replay", {"#56b4e9", kPentagon}},
    {"fp32_continued", {kMuted, kSquare}},       {"fp32", {kMuted, kCircle}},
};
const std::array<std::pair<const char*, int>, 6> kOthers = {{{"#aa4499", kUp},
                                                             {"#999933", kSquare},
                                                             {"#6655bb", kDown},
                                                             {"#44aa99", kDiamond},
                                                             {"#bb3355", kPentagon},
                                                             {"#7a5230", kCircle}}};

constexpr std::array<std::array<int, 3>, 7> kScale = {{{255, 255, 217},
                                                       {214, 239, 179},
                                                       {145, 213, 185},
                                                       {72, 181, 196},
                                                       {32, 135, 187},
                                                       {36, 83, 162},
                                                       {8, 29, 88}}};

std::array<double, 3> scale_rgb(double fraction) {
  const double place = std::clamp(fraction, 0.0, 1.0) * (kScale.size() - 1);
  const size_t below = std::min(static_cast<size_t>(place), kScale.size() - 2);
  std::array<double, 3> rgb{};
  for (size_t c = 0; c < 3; ++c) {
    rgb[c] = kScale[below][c] +
             (place - static_cast<double>(below)) * (kScale[below + 1][c] - kScale[below][c]);
  }
  return rgb;
}

}  // namespace

SeriesStyles::SeriesStyles(std::vector<std::string> others) {
  for (std::string& name : others) {
    if (!kKnown.count(name) && std::find(others_.begin(), others_.end(), name) == others_.end()) {
      others_.push_back(std::move(name));
    }
  }
}

SeriesStyle SeriesStyles::of(const std::string& series) const {
  const std::string name = series.substr(0, series.find(' '));
  const auto known = kKnown.find(name);
  const size_t place =
      static_cast<size_t>(std::find(others_.begin(), others_.end(), name) - others_.begin());
  const auto& [color, filled] =
      known != kKnown.end() ? known->second : kOthers[place % kOthers.size()];
  return {color, filled, filled - 1};
}

std::string scale_color(double fraction) {
  const auto rgb = scale_rgb(fraction);
  return fmt::format("#{:02x}{:02x}{:02x}", std::lround(rgb[0]), std::lround(rgb[1]),
                     std::lround(rgb[2]));
}

std::string text_color_on(double fraction) {
  const auto rgb = scale_rgb(fraction);
  const double luminance = 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2];
  return luminance > 140 ? "#000000" : "#ffffff";
}

}  // namespace qbitopt
