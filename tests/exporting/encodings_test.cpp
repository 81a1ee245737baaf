#include "qbitopt/exporting/encodings.h"

#include <gmock/gmock.h>

#include "qbitopt/core/json.h"

namespace qbitopt {
namespace {

std::vector<OnnxEncoding> two_encodings() {
  const IntegerGrid input{4, 0, 15, torch::tensor({0.5f})};
  const IntegerGrid weight{3, -3, 3, torch::tensor({0.25f, 2.0f})};
  return {{"conv.input", false, input}, {"conv.weight", true, weight}};
}

TEST(EncodingsTest, OlderFilesHaveAnObjectByTensor) {
  const Json file = Json::parse(encodings_file(two_encodings(), EncodingsVersion::k0_6_1));
  EXPECT_EQ(file.at("version"), "0.6.1");
  EXPECT_EQ(file.at("activation_encodings").at("conv.input"),
            Json::parse(R"([{"bitwidth": 4, "dtype": "int", "is_symmetric": "False", "min": 0.0,
                             "max": 7.5, "offset": 0, "scale": 0.5}])"));
  const Json& weight = file.at("param_encodings").at("conv.weight");
  ASSERT_EQ(weight.size(), 2u);
  EXPECT_EQ(weight[1], Json::parse(R"({"bitwidth": 3, "dtype": "int", "is_symmetric": "True",
                                       "min": -6.0, "max": 6.0, "offset": -3, "scale": 2.0})"));
}

TEST(EncodingsTest, NewerFilesHaveAListWithNames) {
  const Json file = Json::parse(encodings_file(two_encodings(), EncodingsVersion::k1_0_0));
  EXPECT_EQ(file.at("version"), "1.0.0");
  EXPECT_EQ(file.at("activation_encodings"),
            Json::parse(R"([{"name": "conv.input", "bw": 4, "dtype": "INT", "is_sym": false,
                             "enc_type": "PER_TENSOR", "scale": [0.5], "offset": [0]}])"));
  EXPECT_EQ(file.at("param_encodings"),
            Json::parse(R"([{"name": "conv.weight", "bw": 3, "dtype": "INT", "is_sym": true,
                             "enc_type": "PER_CHANNEL", "scale": [0.25, 2.0], "offset": [-3, -3]}])"));
}

}  // namespace
}  // namespace qbitopt
