#include "qbitopt/report/figures/style.h"

#include <algorithm>
#include <array>
#include <map>

namespace qbitopt {
namespace {

const char* const kPentagon = "M0,-0.55L0.52,-0.17L0.32,0.45L-0.32,0.45L-0.52,-0.17Z";

const std::map<std::string, SeriesStyle> kKnown = {
    {"qbitopt", {"#d55e00", "circle"}},
    {"static_allocation", {"#0072b2", "square"}},
    {"fixed_precision", {"#009e73", "triangle-up"}},
    {"random_allocation", {"#cc79a7", "diamond"}},
    {"random_reallocation", {"#e69f00", "triangle-down"}},
    {"replay", {"#56b4e9", kPentagon}},
    {"fp32_continued", {"#656d76", "square"}},
    {"fp32", {"#656d76", "circle"}},
};
const std::array<SeriesStyle, 6> kOthers = {{{"#aa4499", "triangle-up"},
                                             {"#999933", "square"},
                                             {"#6655bb", "triangle-down"},
                                             {"#44aa99", "diamond"},
                                             {"#bb3355", kPentagon},
                                             {"#7a5230", "circle"}}};

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
  if (known != kKnown.end()) return known->second;
  const auto place = std::find(others_.begin(), others_.end(), name) - others_.begin();
  return kOthers[static_cast<size_t>(place) % kOthers.size()];
}

}  // namespace qbitopt
