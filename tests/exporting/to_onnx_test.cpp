#include "qbitopt/exporting/to_onnx.h"

#include <gmock/gmock.h>

#include <cstring>

#include "core/errors.h"
#include "exporting/networks.h"
#include "qbitopt/models/state_file.h"

namespace qbitopt {
namespace {

using exporting_tests::kImageShape;
using exporting_tests::Subject;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Quantizers = OnnxOptions::Quantizers;

const onnx::Tensor* tensor(const onnx::Model& model, const std::string& name) {
  for (const onnx::Tensor& one : model.tensors) {
    if (one.name == name) return &one;
  }
  return nullptr;
}

std::vector<const onnx::Node*> nodes(const onnx::Model& model, const std::string& operation) {
  std::vector<const onnx::Node*> found;
  for (const onnx::Node& node : model.nodes) {
    if (node.operation == operation) found.push_back(&node);
  }
  return found;
}

const onnx::Node& maker(const onnx::Model& model, const std::string& value) {
  for (const onnx::Node& node : model.nodes) {
    if (std::find(node.outputs.begin(), node.outputs.end(), value) != node.outputs.end())
      return node;
  }
  throw std::invalid_argument(value + " is made by no node");
}

std::vector<float> floats(const onnx::Tensor& of) {
  std::vector<float> values(of.bytes.size() / sizeof(float));
  std::memcpy(values.data(), of.bytes.data(), of.bytes.size());
  return values;
}

class ToOnnxTest : public testing::Test {
 protected:
  void SetUp() override {
    if (exporting_tests::networks_folder().empty())
      GTEST_SKIP() << ".venv/bin/python with PyTorch is missing";
  }
  static onnx::Model model_of(Subject& subject, const OnnxOptions& options = {}) {
    return to_onnx(subject.graph(), kImageShape, options).model;
  }
};

TEST_F(ToOnnxTest, WeightsAreCodesUnderTheirPublishedNames) {
  Subject subject("attention");
  subject.quantize({.per_channel_weights = true});
  const onnx::Model model = model_of(subject);
  const onnx::Tensor* weight = tensor(model, "patches.weight");
  ASSERT_TRUE(weight);
  EXPECT_EQ(weight->type, onnx::Type::kInt8);
  EXPECT_THAT(weight->shape, ElementsAre(16, 3, 4, 4));
  EXPECT_THAT(tensor(model, "patches.weight_scale")->shape, ElementsAre(16));
  // Of a linear layer on three dimensions the weight stands as MatMul takes it.
  EXPECT_THAT(tensor(model, "attention.in_proj_weight")->shape, ElementsAre(16, 48));
  EXPECT_EQ(
      std::get<int64_t>(maker(model, "attention.in_proj_weight_dequantized").attributes.at("axis")),
      1);
  for (const char* name : {"token", "positions", "norm1.weight", "head.bias"}) {
    ASSERT_TRUE(tensor(model, name)) << name;
    EXPECT_EQ(tensor(model, name)->type, onnx::Type::kFloat);
  }
  const std::string& bytes = weight->bytes;
  const int64_t highest = (1 << (subject.site("patches.weight").quantizer()->bits() - 1)) - 1;
  for (const char byte : bytes) {
    EXPECT_LE(static_cast<signed char>(byte), highest);
    EXPECT_GE(static_cast<signed char>(byte), -highest - 1);
  }
}

TEST_F(ToOnnxTest, ActivationsAreClippedToTheirBits) {
  Subject subject("norms");
  subject.quantize({});
  subject.site("second.input").quantizer()->set_bits(3);
  subject.site("third.input").quantizer()->set_bits(8);
  const onnx::Model model = model_of(subject);
  const onnx::Node& clipped = maker(model, maker(model, "second.input").inputs[0]);
  ASSERT_EQ(clipped.operation, "Clip");
  EXPECT_EQ(tensor(model, clipped.inputs[1])->bytes, std::string("\0", 1));
  EXPECT_EQ(tensor(model, clipped.inputs[2])->bytes, "\7");
  EXPECT_EQ(maker(model, clipped.inputs[0]).operation, "QuantizeLinear");
  // Saturation does it.
  EXPECT_EQ(maker(model, maker(model, "third.input").inputs[0]).operation, "QuantizeLinear");
  EXPECT_EQ(nodes(model, "DequantizeLinear").size(), subject.network->sites().size());
}

TEST_F(ToOnnxTest, AnOffsetIsTakenOffAndPutBack) {
  Subject subject("attention");
  subject.quantize({});
  const onnx::Model model = model_of(subject);
  const onnx::Node& back = maker(model, "mlp.3.input");
  ASSERT_EQ(back.operation, "Add");
  EXPECT_EQ(back.inputs[1], "mlp.3.input_offset");
  const onnx::Node& clip = maker(model, maker(model, back.inputs[0]).inputs[0]);
  const onnx::Node& quantize = maker(model, clip.inputs[0]);
  EXPECT_EQ(maker(model, quantize.inputs[0]).operation, "Sub");
}

TEST_F(ToOnnxTest, BatchNormsGoIntoScalesAndBiasesAndCodesStay) {
  Subject subject("norms");
  subject.quantize({.per_channel_weights = true});
  const onnx::Model apart = model_of(subject, {.folds_batch_norms = false});
  const onnx::Model folded = model_of(subject);
  EXPECT_EQ(nodes(apart, "BatchNormalization").size(), 5u);
  // Two read the third's input; no layer stands before the one alone.
  EXPECT_EQ(nodes(folded, "BatchNormalization").size(), 2u);
  EXPECT_FALSE(tensor(apart, "first.bias"));
  ASSERT_TRUE(tensor(folded, "first.bias"));
  EXPECT_EQ(tensor(folded, "first.weight")->bytes, tensor(apart, "first.weight")->bytes);
  const StateDict state = state_of(*subject.network);
  const torch::Tensor factor =
      (state.at("norm1.weight") / (state.at("norm1.running_var") + 1e-5).sqrt()).detach();
  const torch::Tensor shift =
      (state.at("norm1.bias") - state.at("norm1.running_mean") * factor).detach();
  const auto scales = floats(*tensor(folded, "first.weight_scale"));
  const auto before = floats(*tensor(apart, "first.weight_scale"));
  for (size_t channel = 0; channel < scales.size(); ++channel) {
    const auto i = static_cast<int64_t>(channel);
    EXPECT_NEAR(scales[channel] / before[channel], factor[i].item<float>(), 1e-5);
    EXPECT_NEAR(floats(*tensor(folded, "first.bias"))[channel], shift[i].item<float>(), 1e-5);
  }
}

TEST_F(ToOnnxTest, ANegativeFactorNegatesTheCodesOfItsChannel) {
  Subject subject("norms");
  subject.quantize({.signed_grid = SignedGrid::kSymmetric});
  const torch::NoGradGuard no_grad;
  StateDict state = state_of(*subject.network);
  state.at("norm1.weight")[2] = -0.5;
  state.at("norm1.weight")[3] = 0;
  const onnx::Model apart = model_of(subject, {.folds_batch_norms = false});
  const onnx::Model folded = model_of(subject);
  const std::string& before = tensor(apart, "first.weight")->bytes;
  const std::string& after = tensor(folded, "first.weight")->bytes;
  const size_t channel = 3 * 3 * 3;
  for (size_t i = 0; i < before.size(); ++i) {
    const int sign = i / channel == 2 ? -1 : i / channel == 3 ? 0 : 1;
    EXPECT_EQ(static_cast<signed char>(after[i]), sign * static_cast<signed char>(before[i])) << i;
  }
  for (const float scale : floats(*tensor(folded, "first.weight_scale"))) EXPECT_GT(scale, 0);
}

TEST_F(ToOnnxTest, ABatchNormStaysWhereTheLowestCodeHasNoNegative) {
  Subject subject("norms");
  subject.quantize({});
  const torch::NoGradGuard no_grad;
  StateDict state = state_of(*subject.network);
  state.at("norm1.weight")[2] = -0.5;
  state.at("first.weight")[2].fill_(-100);
  EXPECT_EQ(nodes(model_of(subject), "BatchNormalization").size(), 3u);
  state.at("first.weight")[2].fill_(100);
  EXPECT_EQ(nodes(model_of(subject), "BatchNormalization").size(), 2u);
}

TEST_F(ToOnnxTest, ABatchNormStaysWhereItsBiasHasTooManySteps) {
  Subject subject("norms");
  subject.quantize({.per_channel_weights = true});
  const torch::NoGradGuard no_grad;
  StateDict state = state_of(*subject.network);
  state.at("norm1.bias")[4] = 1e5;
  EXPECT_EQ(nodes(model_of(subject), "BatchNormalization").size(), 2u);
  state.at("first.weight_quantizer.range")[4] = 1e-6;
  EXPECT_EQ(nodes(model_of(subject), "BatchNormalization").size(), 3u);
}

TEST_F(ToOnnxTest, OpsetsHaveTheirVersionOfTheFileAndFourBitWeights) {
  Subject subject("norms");
  subject.quantize({});
  subject.site("second.weight").quantizer()->set_bits(3);
  subject.site("third.weight").quantizer()->set_bits(5);
  const onnx::Model usual = model_of(subject);
  EXPECT_EQ(usual.ir_version, 8);
  EXPECT_EQ(usual.opsets.at(""), 17);
  EXPECT_EQ(tensor(usual, "second.weight")->type, onnx::Type::kInt8);
  const onnx::Model newest = model_of(subject, {.opset = 21});
  EXPECT_EQ(newest.ir_version, 10);
  EXPECT_EQ(tensor(newest, "second.weight")->type, onnx::Type::kInt4);
  EXPECT_EQ(tensor(newest, "third.weight")->type, onnx::Type::kInt8);
  const std::string &codes = tensor(usual, "second.weight")->bytes,
                    &packed = tensor(newest, "second.weight")->bytes;
  ASSERT_EQ(packed.size(), codes.size() / 2);
  for (size_t i = 0; i < codes.size(); ++i) {
    const unsigned half = static_cast<unsigned char>(packed[i / 2]) >> (i % 2 * 4) & 15u;
    EXPECT_EQ(half, static_cast<unsigned char>(codes[i]) & 15u);
  }
}

TEST_F(ToOnnxTest, QuantNodesSayBitsSignAndNarrowness) {
  Subject subject("norms");
  subject.quantize({.signed_grid = SignedGrid::kSymmetric});
  const onnx::Model model = model_of(subject, {.quantizers = Quantizers::kQuantNodes});
  EXPECT_EQ(nodes(model, "Quant").size(), subject.network->sites().size());
  EXPECT_EQ(model.opsets.at("qonnx.custom_op.general"), 1);
  const onnx::Node& weight = maker(model, "second.weight_quantized");
  EXPECT_EQ(weight.domain, "qonnx.custom_op.general");
  EXPECT_EQ(std::get<int64_t>(weight.attributes.at("signed")), 1);
  EXPECT_EQ(std::get<int64_t>(weight.attributes.at("narrow")), 1);
  const auto bits = static_cast<float>(subject.site("second.weight").quantizer()->bits());
  EXPECT_THAT(floats(*tensor(model, weight.inputs[3])), ElementsAre(bits));
  const onnx::Node& input = maker(model, "second.input");
  EXPECT_EQ(std::get<int64_t>(input.attributes.at("signed")), 0);
}

TEST_F(ToOnnxTest, WithoutQuantizersTheModelIsInFloat32) {
  Subject subject("branches");
  const onnx::Model model = model_of(subject);
  EXPECT_THAT(nodes(model, "DequantizeLinear"), IsEmpty());
  EXPECT_EQ(tensor(model, "stem.0.weight")->type, onnx::Type::kFloat);
  EXPECT_EQ(model.inputs[0].name, "images");
  EXPECT_EQ(std::get<std::string>(model.inputs[0].shape[0]), "batch");
  EXPECT_EQ(std::get<int64_t>(model.inputs[0].shape[1]), 3);
  EXPECT_EQ(model.outputs[0].name, "logits");
  EXPECT_EQ(std::get<int64_t>(model.outputs[0].shape[1]), 5);
}

TEST_F(ToOnnxTest, AnOperatorWithoutTranslationIsNamedWithItsModule) {
  Subject subject("untranslated");
  EXPECT_THAT(input_error([&] { model_of(subject); }),
              HasSubstr("there is no translation to ONNX of aten.cumsum.default"));
}

TEST_F(ToOnnxTest, AWriteIntoASharedTensorIsRefused) {
  Subject subject("shared_write");
  EXPECT_THAT(input_error([&] { model_of(subject); }), HasSubstr("aten.relu_.default"));
  EXPECT_THAT(input_error([&] { model_of(subject); }), HasSubstr("by another name"));
}

TEST_F(ToOnnxTest, MoreThanEightBitsAreRefused) {
  Subject subject("norms");
  subject.quantize({});
  subject.site("second.input").quantizer()->set_bits(9);
  EXPECT_EQ(input_error([&] { model_of(subject); }),
            "quantizer 'second.input' has 9 bits; expected at most 8: a code is stored in a byte");
}

TEST_F(ToOnnxTest, AScaleThatIsNotFiniteIsRefusedByName) {
  Subject subject("norms");
  subject.quantize({.per_channel_weights = true});
  const torch::NoGradGuard no_gradients;
  for (auto& entry : subject.network->named_parameters()) {
    if (entry.value().dim() == 1) entry.value().fill_(1e38);  // of batch norms, among others
  }
  for (auto& entry : subject.network->named_buffers()) {
    if (entry.key().find("running_var") != std::string::npos) entry.value().fill_(1e-30);
  }
  EXPECT_THAT(input_error([&] { model_of(subject); }), HasSubstr("is not finite in float32"));
}

}  // namespace
}  // namespace qbitopt
