#include "qbitopt/weights/labeled_tensors.h"

#include <gmock/gmock.h>

#include "weights/npy.h"

namespace qbitopt {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using weight_files::npy;
using weight_files::values;

using Arrays = std::map<std::string, std::string>;

// Three training samples and one test sample of shape [2], in two classes.
Arrays small_arrays() {
  return {{"x_train.npy", npy("<f4", "(3, 2)", values<float>({1, 2, 3, 4, 5, 6}))},
          {"y_train.npy", npy("<i8", "(3,)", values<int64_t>({0, 1, 0}))},
          {"x_test.npy", npy("<f4", "(1, 2)", values<float>({7, 8}))},
          {"y_test.npy", npy("|u1", "(1,)", values<uint8_t>({1}))}};
}

Arrays with(const std::string& name, const std::string& array) {
  Arrays arrays = small_arrays();
  arrays[name + ".npy"] = array;
  return arrays;
}

std::string fault_of(const Arrays& arrays) {
  const std::string file = weight_files::zip_file(arrays);
  try {
    const TensorData data = index_tensor_data(file);
    read_features(file, data.train);
  } catch (const BadWeights& error) {
    return error.what();
  }
  return "";
}

TEST(LabeledTensorsTest, PartsAreReadWithTheirLabels) {
  for (const uint16_t method : {0, 8}) {
    const std::string file = weight_files::zip_file(small_arrays(), method);
    const TensorData data = index_tensor_data(file);
    EXPECT_THAT(data.shape(), ElementsAre(2));
    EXPECT_EQ(data.classes, 2);
    EXPECT_EQ(data.train.samples(), 3);
    EXPECT_THAT(data.train.labels, ElementsAre(0, 1, 0));
    EXPECT_THAT(data.test.labels, ElementsAre(1));
    EXPECT_FALSE(data.validation);
    EXPECT_THAT(read_features(file, data.train), ElementsAre(1, 2, 3, 4, 5, 6));
    EXPECT_THAT(read_features(file, data.test), ElementsAre(7, 8));
  }
}

TEST(LabeledTensorsTest, FeaturesOfEveryTypeBecomeFloats) {
  const auto read = [](const std::string& array) {
    const std::string file = weight_files::zip_file(with("x_train", array));
    return read_features(file, index_tensor_data(file).train);
  };
  EXPECT_THAT(read(npy("<f8", "(3, 2)", values<double>({1, 2, 3, 4, 5, 0.25}))),
              ElementsAre(1, 2, 3, 4, 5, 0.25));
  EXPECT_THAT(read(npy("|u1", "(3, 2)", values<uint8_t>({0, 255, 51, 0, 0, 0}))),
              ElementsAre(0, 1, 0.2f, 0, 0, 0));
  // 1, -2, the smallest number, the largest, one third, 0.
  EXPECT_THAT(
      read(npy("<f2", "(3, 2)", values<uint16_t>({0x3c00, 0xc000, 1, 0x7bff, 0x3555, 0x8000}))),
      ElementsAre(1, -2, 5.9604645e-8f, 65504, 0.33325195f, 0));
  // Column by column, as of a matrix that was turned.
  EXPECT_THAT(read(npy("<f4", "(3, 2)", values<float>({1, 3, 5, 2, 4, 6}), "True")),
              ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST(LabeledTensorsTest, SafetensorsHoldTheSame) {
  const std::string header = R"({"x_train":{"dtype":"BF16","shape":[2,1],"data_offsets":[0,4]},)"
                             R"("y_train":{"dtype":"I64","shape":[2],"data_offsets":[4,20]},)"
                             R"("x_test":{"dtype":"F32","shape":[1,1],"data_offsets":[20,24]},)"
                             R"("y_test":{"dtype":"I64","shape":[1],"data_offsets":[24,32]}})";
  const std::string file = weight_files::safetensors(
      header, values<uint16_t>({0x3f80, 0xbf00}) + values<int64_t>({2, 0}) + values<float>({3}) +
                  values<int64_t>({1}));
  const TensorData data = index_tensor_data(file);
  EXPECT_EQ(data.classes, 3);
  EXPECT_THAT(read_features(file, data.train), ElementsAre(1, -0.5));
  EXPECT_THAT(read_features(file, data.test), ElementsAre(3));
}

TEST(LabeledTensorsTest, WhatDoesNotFitIsToldWithArrayFoundAndExpected) {
  Arrays missing = small_arrays();
  missing.erase("y_test.npy");
  EXPECT_THAT(fault_of(missing), HasSubstr("no array 'y_test'; it has x_test, x_train, y_train"));
  EXPECT_THAT(fault_of(with("x_train", npy("<i4", "(3, 2)", std::string(24, '\0')))),
              HasSubstr("features of type I32 in 'x_train'; expected one of BF16, F16, F32"));
  EXPECT_THAT(fault_of(with("y_train", npy("<f4", "(3,)", values<float>({0, 1, 0})))),
              HasSubstr("labels of type F32 in 'y_train'"));
  EXPECT_THAT(fault_of(with("x_train", npy("<f4", "(3,)", values<float>({0, 1, 0})))),
              HasSubstr("features of shape [3] in 'x_train'; expected [samples, ...]"));
  EXPECT_THAT(fault_of(with("y_train", npy("<i8", "(2,)", values<int64_t>({0, 1})))),
              HasSubstr("labels of shape [2] in 'y_train'; expected [3]"));
  EXPECT_THAT(fault_of(with("y_train", npy("<i8", "(3,)", values<int64_t>({0, -1, 0})))),
              HasSubstr("the label -1 in 'y_train'; expected 0 to classes - 1"));
  EXPECT_THAT(fault_of(with("x_test", npy("<f4", "(1, 3)", values<float>({7, 8, 9})))),
              HasSubstr("samples of shape [3] beside 'x_train', whose samples are of shape [2]"));
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_THAT(
      fault_of(with("x_train", npy("<f4", "(3, 2)", values<float>({1, 2, 3, 4, infinity, 6})))),
      HasSubstr("holds inf in sample 2"));
  EXPECT_THAT(fault_of(with("x_validation", npy("<f4", "(1, 2)", values<float>({7, 8})))),
              HasSubstr("no array 'y_validation'"));
  EXPECT_EQ(fault_of(small_arrays()), "");
}

}  // namespace
}  // namespace qbitopt
