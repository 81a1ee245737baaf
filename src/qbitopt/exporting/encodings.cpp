#include "qbitopt/exporting/encodings.h"

#include "qbitopt/core/json.h"

namespace qbitopt {
namespace {

std::vector<float> scales_of(const IntegerGrid& grid) {
  const torch::Tensor flat = grid.scale.contiguous();
  return {flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel()};
}

// One entry for each channel.
Json by_channel(const IntegerGrid& grid) {
  Json entries = Json::array();
  for (const float scale : scales_of(grid)) {
    entries.push_back({{"bitwidth", grid.bits},
                       {"dtype", "int"},
                       {"is_symmetric", grid.is_signed() ? "True" : "False"},
                       {"min", scale * static_cast<float>(grid.lowest)},
                       {"max", scale * static_cast<float>(grid.highest)},
                       {"offset", grid.lowest},
                       {"scale", scale}});
  }
  return entries;
}

Json in_one(const OnnxEncoding& encoding) {
  const std::vector<float> scales = scales_of(encoding.grid);
  return {{"name", encoding.tensor},
          {"bw", encoding.grid.bits},
          {"dtype", "INT"},
          {"enc_type", scales.size() > 1 ? "PER_CHANNEL" : "PER_TENSOR"},
          {"is_sym", encoding.grid.is_signed()},
          {"scale", scales},
          {"offset", std::vector<int64_t>(scales.size(), encoding.grid.lowest)}};
}

}  // namespace

std::string encodings_file(const std::vector<OnnxEncoding>& encodings, EncodingsVersion version) {
  const bool is_old = version == EncodingsVersion::k0_6_1;
  Json file = {{"version", is_old ? "0.6.1" : "1.0.0"}};
  for (const bool is_weight : {false, true}) {
    Json& part = file[is_weight ? "param_encodings" : "activation_encodings"];
    part = is_old ? Json::object() : Json::array();
    for (const OnnxEncoding& encoding : encodings) {
      if (encoding.is_weight != is_weight) continue;
      if (is_old) {
        part[encoding.tensor] = by_channel(encoding.grid);
      } else {
        part.push_back(in_one(encoding));
      }
    }
  }
  return file.dump(2) + "\n";
}

}  // namespace qbitopt
