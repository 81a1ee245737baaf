#include "qbitopt/onnx/model_file.h"

#include <gmock/gmock.h>

#include <protozero/pbf_reader.hpp>

#include "onnx/small_model.h"

namespace qbitopt::onnx {
namespace {

using protozero::pbf_reader;
using testing::ElementsAre;

// All fields of one number, in their order.
std::vector<std::string> fields(const std::string& message, uint32_t number) {
  std::vector<std::string> all;
  pbf_reader reader(message);
  while (reader.next(number)) all.push_back(reader.get_bytes());
  return all;
}
std::string field(const std::string& message, std::initializer_list<uint32_t> path) {
  std::string inner = message;
  for (const uint32_t number : path) inner = fields(inner, number).at(0);
  return inner;
}
int64_t whole(const std::string& message, uint32_t number) {
  pbf_reader reader(message);
  return reader.next(number) ? reader.get_int64() : -1;
}

// Numbers of fields are those of onnx.proto.
TEST(OnnxModelFileTest, TheModelSaysItsVersionsAndMetadata) {
  const std::string file = to_file(small_model());
  EXPECT_EQ(whole(file, 1), 8);         // ir_version
  EXPECT_EQ(field(file, {2}), "test");  // producer_name
  EXPECT_EQ(field(file, {8, 1}), "");   // opset_import.domain
  EXPECT_EQ(whole(field(file, {8}), 2), 17);
  EXPECT_EQ(field(file, {14, 1}), "job");  // metadata_props
  EXPECT_EQ(field(file, {14, 2}), "abc");
  EXPECT_EQ(field(file, {7, 2}), "small");  // graph.name
}

TEST(OnnxModelFileTest, NodesKeepInputsAndAttributes) {
  const auto nodes = fields(field(to_file(small_model()), {7}), 1);
  ASSERT_EQ(nodes.size(), 2u);
  EXPECT_THAT(fields(nodes[1], 1), ElementsAre("images", "weight", ""));
  EXPECT_THAT(fields(nodes[1], 2), ElementsAre("logits"));
  EXPECT_EQ(field(nodes[1], {3}), "fc/Gemm");
  EXPECT_EQ(field(nodes[1], {4}), "Gemm");
  const auto attributes = fields(nodes[1], 5);  // in the order of their names
  ASSERT_EQ(attributes.size(), 2u);
  EXPECT_EQ(field(attributes[0], {1}), "alpha");
  EXPECT_EQ(whole(attributes[0], 20), 1);  // type FLOAT
  pbf_reader alpha(attributes[0]);
  ASSERT_TRUE(alpha.next(2));
  EXPECT_EQ(alpha.get_float(), 0.5f);
  EXPECT_EQ(field(attributes[1], {1}), "transB");
  EXPECT_EQ(whole(attributes[1], 20), 2);  // type INT
  EXPECT_EQ(whole(attributes[1], 3), 1);
}

TEST(OnnxModelFileTest, TensorsKeepTypeShapeAndBytes) {
  const std::string tensor = field(to_file(small_model()), {7, 5});
  pbf_reader dims(tensor);
  std::vector<int64_t> shape;
  while (dims.next(1)) shape.push_back(dims.get_int64());
  EXPECT_THAT(shape, ElementsAre(3, 2));
  EXPECT_EQ(whole(tensor, 2), 3);  // INT8
  EXPECT_EQ(field(tensor, {8}), "fc.weight");
  EXPECT_EQ(field(tensor, {9}), std::string("\x01\xff\x03\x80\x7f\x00", 6));
}

TEST(OnnxModelFileTest, TheBatchHasAnyNumberOfImages) {
  const std::string type = field(to_file(small_model()), {7, 11, 2, 1});
  EXPECT_EQ(whole(type, 1), 1);  // FLOAT
  const auto dimensions = fields(field(type, {2}), 1);
  ASSERT_EQ(dimensions.size(), 2u);
  EXPECT_EQ(field(dimensions[0], {2}), "batch");
  EXPECT_EQ(whole(dimensions[1], 1), 2);
}

}  // namespace
}  // namespace qbitopt::onnx
