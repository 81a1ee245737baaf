#include "qbitopt/exporting/operators.h"

namespace qbitopt {
namespace {

// The dimensions that are pooled: all behind images and channels.
size_t pooled_dimensions(TranslatedCall& call, size_t expected) {
  if (call.rank("self") != static_cast<int64_t>(expected) + 2)
    call.refuse("works on a single image without a batch");
  return expected;
}

OnnxAttributes window(TranslatedCall& call, size_t dimensions) {
  pooled_dimensions(call, dimensions);
  std::vector<int64_t> stride = call.wholes("stride", dimensions);
  const std::vector<int64_t> kernel = call.wholes("kernel_size", dimensions);
  if (stride.empty()) stride = kernel;
  std::vector<int64_t> pads = call.wholes("padding", dimensions);
  pads.resize(dimensions, 0);
  const std::vector<int64_t> begins = pads;
  pads.insert(pads.end(), begins.begin(), begins.end());
  return {{"kernel_shape", kernel},
          {"strides", stride},
          {"pads", pads},
          {"ceil_mode", int64_t{call.truth("ceil_mode")}}};
}

template <size_t kDimensions>
void max_pool(TranslatedCall& call) {
  OnnxAttributes attributes = window(call, kDimensions);
  attributes["dilations"] = call.wholes("dilation", kDimensions);
  call.give("MaxPool", {call.input("self")}, attributes);
}

template <size_t kDimensions>
void average_pool(TranslatedCall& call) {
  if (call.has("divisor_override")) call.refuse("has a divisor of its own");
  OnnxAttributes attributes = window(call, kDimensions);
  attributes["count_include_pad"] = int64_t{call.truth("count_include_pad")};
  call.give("AveragePool", {call.input("self")}, attributes);
}

// To one value a channel, or by windows that divide the input evenly.
void adaptive_pool(TranslatedCall& call, size_t dimensions, const std::string& to_one,
                   const std::string& by_windows) {
  pooled_dimensions(call, dimensions);
  const std::vector<int64_t> output = call.wholes("output_size", dimensions);
  std::vector<int64_t> window;
  bool is_one = true;
  for (size_t i = 0; i < output.size(); ++i) {
    const int64_t size = call.size("self", static_cast<int64_t>(i) + 2);
    is_one = is_one && output[i] == 1;
    if (output[i] <= 0 || size % output[i] != 0)
      call.refuse("pools to a size that does not divide its input's");
    window.push_back(size / output[i]);
  }
  if (is_one) return call.give(to_one, {call.input("self")});
  call.give(by_windows, {call.input("self")}, {{"kernel_shape", window}, {"strides", window}});
}

template <size_t kDimensions>
void adaptive_average_pool(TranslatedCall& call) {
  adaptive_pool(call, kDimensions, "GlobalAveragePool", "AveragePool");
}

template <size_t kDimensions>
void adaptive_max_pool(TranslatedCall& call) {
  adaptive_pool(call, kDimensions, "GlobalMaxPool", "MaxPool");
}

}  // namespace

const Translations& pooling_operators() {
  static const Translations all = {{"adaptive_avg_pool1d", adaptive_average_pool<1>},
                                   {"adaptive_avg_pool2d", adaptive_average_pool<2>},
                                   {"adaptive_max_pool2d", adaptive_max_pool<2>},
                                   {"avg_pool1d", average_pool<1>},
                                   {"avg_pool2d", average_pool<2>},
                                   {"max_pool1d", max_pool<1>},
                                   {"max_pool2d", max_pool<2>},
                                   {"max_pool2d_with_indices", max_pool<2>}};
  return all;
}

}  // namespace qbitopt
