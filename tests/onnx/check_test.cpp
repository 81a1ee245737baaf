#include "qbitopt/onnx/check.h"

#include <gmock/gmock.h>

#include "onnx/small_model.h"

namespace qbitopt::onnx {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(OnnxCheckTest, ASoundModelHasNoFaults) { EXPECT_THAT(faults_of(small_model()), IsEmpty()); }

TEST(OnnxCheckTest, ValuesAreMadeOnceAndBeforeTheyAreRead) {
  Model model = small_model();
  std::swap(model.nodes[0], model.nodes[1]);
  EXPECT_THAT(faults_of(model),
              ElementsAre("inputs and outputs of 'fc/Gemm' read 'weight' before it is made"));
  model = small_model();
  model.nodes[0].outputs[0] = "scale";
  model.nodes[1].inputs[1] = "scale";
  EXPECT_THAT(faults_of(model),
              ElementsAre("inputs and outputs of 'fc/DequantizeLinear' make 'scale' again"));
  model = small_model();
  model.outputs[0].name = "probabilities";
  EXPECT_THAT(faults_of(model), ElementsAre("the outputs read 'probabilities' before it is made"));
}

TEST(OnnxCheckTest, EveryTensorIsReadAndAsLargeAsItsShapeSays) {
  Model model = small_model();
  model.tensors.push_back({"bias", Type::kFloat, {3}, std::string(12, '\0')});
  EXPECT_THAT(faults_of(model), ElementsAre("tensor 'bias' is read by nothing"));
  model = small_model();
  model.tensors[1].bytes.pop_back();
  EXPECT_THAT(faults_of(model), ElementsAre("tensor 'scale' has 11 bytes; its shape asks for 12"));
  model = small_model();
  model.tensors[0].type = model.tensors[2].type = Type::kInt4;
  model.tensors[0].bytes.resize(3);
  model.tensors[2].bytes.resize(2);  // 3 codes, the last half is empty
  EXPECT_THAT(faults_of(model), IsEmpty());
}

TEST(OnnxCheckTest, ScalesAndZeroPointsFitTheCodes) {
  Model model = small_model();
  model.nodes[0].attributes["axis"] = int64_t{1};
  EXPECT_THAT(faults_of(model), ElementsAre("node 'fc/DequantizeLinear' has not one scale for each "
                                            "channel of 'fc.weight'"));
  model = small_model();
  model.tensors[2].type = Type::kUint8;
  EXPECT_THAT(faults_of(model),
              ElementsAre("node 'fc/DequantizeLinear' has a zero point of another "
                          "type than the codes"));
  model = small_model();
  model.tensors[2].shape = {};
  model.tensors[2].bytes.resize(1);
  EXPECT_THAT(faults_of(model),
              ElementsAre("node 'fc/DequantizeLinear' has a zero point of another "
                          "shape than the scale"));
}

TEST(OnnxCheckTest, NodesHaveNamesAndAKnownDomain) {
  Model model = small_model();
  model.nodes[1].name = model.nodes[0].name;
  model.nodes[1].domain = "elsewhere";
  EXPECT_THAT(
      faults_of(model),
      ElementsAre("two nodes are named 'fc/DequantizeLinear'",
                  "node 'fc/DequantizeLinear' is of a domain without version, 'elsewhere'"));
}

}  // namespace
}  // namespace qbitopt::onnx
