#include "qbitopt/exporting/operators.h"

// Images of another size: torch.nn.Upsample, torch.nn.functional.interpolate.
namespace qbitopt {
namespace {

// The factors that the network was written with, one a dimension; empty: it names a size.
std::vector<double> factors(TranslatedCall& call, size_t dimensions) {
  std::vector<double> all;
  if (call.has("scale_factors")) {
    for (const ListItem& item : call.list("scale_factors")) {
      const auto* factor = std::get_if<double>(&item);
      if (!factor) call.refuse("has scale factors that are no numbers");
      all.push_back(*factor);
    }
    return all;
  }
  static constexpr const char* kNames[2][2] = {{"scales", nullptr}, {"scales_h", "scales_w"}};
  for (size_t i = 0; i < dimensions; ++i) {
    const char* name = kNames[dimensions - 1][i];
    if (call.has(name)) all.push_back(call.real(name));
  }
  return all.size() == dimensions ? all : std::vector<double>();
}

// A factor decides where each pixel comes from, even if the size was rounded down; so it is given
// as it is.
void resize(TranslatedCall& call, size_t dimensions, OnnxAttributes attributes) {
  const char* images = call.is_tensor("input") ? "input" : "self";  // by overload
  if (call.rank(images) != static_cast<int64_t>(dimensions) + 2)
    call.refuse("works on a single image without a batch");
  std::vector<std::string> inputs = {call.input(images), ""};
  const std::vector<double> scales = factors(call, dimensions);
  if (scales.empty()) {
    inputs.emplace_back("");
    inputs.push_back(call.full_shape(call.output().shape));
  } else {
    torch::Tensor all = torch::ones({static_cast<int64_t>(dimensions) + 2});
    for (size_t i = 0; i < dimensions; ++i) all[static_cast<int64_t>(i) + 2] = scales[i];
    inputs.push_back(call.onnx().tensor(all, call.node().module + ".scales"));
  }
  call.give("Resize", inputs, std::move(attributes));
}

template <size_t kDimensions>
void nearest(TranslatedCall& call) {
  resize(call, kDimensions,
         {{"mode", std::string("nearest")},
          {"coordinate_transformation_mode", std::string("asymmetric")},
          {"nearest_mode", std::string("floor")}});
}

void interpolated(TranslatedCall& call, size_t dimensions, const std::string& mode) {
  OnnxAttributes attributes = {
      {"mode", mode},
      {"coordinate_transformation_mode",
       std::string(call.truth("align_corners") ? "align_corners" : "half_pixel")}};
  if (mode == "cubic") attributes["cubic_coeff_a"] = -0.75F;
  resize(call, dimensions, attributes);
}
template <size_t kDimensions>
void linear(TranslatedCall& call) {
  interpolated(call, kDimensions, "linear");
}
void cubic(TranslatedCall& call) { interpolated(call, 2, "cubic"); }

}  // namespace

const Translations& resizing_operators() {
  static const Translations all = {{"upsample_bicubic2d", cubic},
                                   {"upsample_bilinear2d", linear<2>},
                                   {"upsample_linear1d", linear<1>},
                                   {"upsample_nearest1d", nearest<1>},
                                   {"upsample_nearest2d", nearest<2>}};
  return all;
}

}  // namespace qbitopt
