#include "qbitopt/onnx/model_file.h"

#include <fmt/format.h>

#include <limits>
#include <protozero/pbf_builder.hpp>

#include "qbitopt/core/error.h"

// Field numbers of the messages in onnx.proto (https://github.com/onnx/onnx), by message.
namespace qbitopt::onnx {
namespace {

enum class ModelField : protozero::pbf_tag_type {
  kIrVersion = 1,
  kProducerName = 2,
  kProducerVersion = 3,
  kGraph = 7,
  kOpsetImport = 8,
  kMetadata = 14
};
enum class OpsetField : protozero::pbf_tag_type { kDomain = 1, kVersion = 2 };
enum class EntryField : protozero::pbf_tag_type { kKey = 1, kValue = 2 };
enum class GraphField : protozero::pbf_tag_type {
  kNode = 1,
  kName = 2,
  kInitializer = 5,
  kInput = 11,
  kOutput = 12
};
enum class NodeField : protozero::pbf_tag_type {
  kInput = 1,
  kOutput = 2,
  kName = 3,
  kOperation = 4,
  kAttribute = 5,
  kDomain = 7
};
enum class AttributeField : protozero::pbf_tag_type {
  kName = 1,
  kFloat = 2,
  kInt = 3,
  kString = 4,
  kInts = 8,
  kType = 20
};
enum AttributeType : int32_t { kFloat = 1, kInt = 2, kString = 3, kInts = 7 };
enum class TensorField : protozero::pbf_tag_type { kDims = 1, kType = 2, kName = 8, kRawData = 9 };
enum class ValueField : protozero::pbf_tag_type { kName = 1, kType = 2 };
enum class TypeField : protozero::pbf_tag_type { kTensor = 1 };
enum class TensorTypeField : protozero::pbf_tag_type { kElement = 1, kShape = 2 };
enum class ShapeField : protozero::pbf_tag_type { kDimension = 1 };
enum class DimensionField : protozero::pbf_tag_type { kValue = 1, kName = 2 };

template <typename Field>
using Message = protozero::pbf_builder<Field>;

void add_attribute(Message<NodeField>& node, const std::string& name, const Attribute& value) {
  Message<AttributeField> message(node, NodeField::kAttribute);
  message.add_string(AttributeField::kName, name);
  if (const auto* whole = std::get_if<int64_t>(&value)) {
    message.add_int64(AttributeField::kInt, *whole);
    message.add_enum(AttributeField::kType, kInt);
  } else if (const auto* real = std::get_if<float>(&value)) {
    message.add_float(AttributeField::kFloat, *real);
    message.add_enum(AttributeField::kType, kFloat);
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    message.add_bytes(AttributeField::kString, *text);
    message.add_enum(AttributeField::kType, kString);
  } else {
    for (const int64_t one : std::get<std::vector<int64_t>>(value))
      message.add_int64(AttributeField::kInts, one);
    message.add_enum(AttributeField::kType, kInts);
  }
}

void add_node(Message<GraphField>& graph, const Node& node) {
  Message<NodeField> message(graph, GraphField::kNode);
  for (const std::string& input : node.inputs) message.add_string(NodeField::kInput, input);
  for (const std::string& output : node.outputs) message.add_string(NodeField::kOutput, output);
  message.add_string(NodeField::kName, node.name);
  message.add_string(NodeField::kOperation, node.operation);
  for (const auto& [name, value] : node.attributes) add_attribute(message, name, value);
  if (!node.domain.empty()) message.add_string(NodeField::kDomain, node.domain);
}

void add_tensor(Message<GraphField>& graph, const Tensor& tensor) {
  Message<TensorField> message(graph, GraphField::kInitializer);
  for (const int64_t size : tensor.shape) message.add_int64(TensorField::kDims, size);
  message.add_int32(TensorField::kType, static_cast<int32_t>(tensor.type));
  message.add_string(TensorField::kName, tensor.name);
  message.add_bytes(TensorField::kRawData, tensor.bytes);
}

void add_value(Message<GraphField>& graph, GraphField field, const Value& value) {
  Message<ValueField> message(graph, field);
  message.add_string(ValueField::kName, value.name);
  Message<TypeField> type(message, ValueField::kType);
  Message<TensorTypeField> tensor(type, TypeField::kTensor);
  tensor.add_int32(TensorTypeField::kElement, static_cast<int32_t>(value.type));
  Message<ShapeField> shape(tensor, TensorTypeField::kShape);
  for (const auto& size : value.shape) {
    Message<DimensionField> dimension(shape, ShapeField::kDimension);
    if (const auto* known = std::get_if<int64_t>(&size)) {
      dimension.add_int64(DimensionField::kValue, *known);
    } else {
      dimension.add_string(DimensionField::kName, std::get<std::string>(size));
    }
  }
}

void add_graph(Message<ModelField>& model, const Model& content) {
  Message<GraphField> graph(model, ModelField::kGraph);
  for (const Node& node : content.nodes) add_node(graph, node);
  graph.add_string(GraphField::kName, content.name);
  for (const Tensor& tensor : content.tensors) add_tensor(graph, tensor);
  for (const Value& value : content.inputs) add_value(graph, GraphField::kInput, value);
  for (const Value& value : content.outputs) add_value(graph, GraphField::kOutput, value);
}

}  // namespace

std::string to_file(const Model& model) {
  size_t tensor_bytes = 0;
  for (const Tensor& tensor : model.tensors) tensor_bytes += tensor.bytes.size();
  constexpr size_t kMost = std::numeric_limits<int32_t>::max();
  if (tensor_bytes >= kMost) {
    throw InputError(
        fmt::format("its tensors take {} bytes; a .onnx file holds less than {}: export it as "
                    "safetensors",
                    tensor_bytes, kMost));
  }
  std::string bytes;
  {
    Message<ModelField> message(bytes);
    message.add_int64(ModelField::kIrVersion, model.ir_version);
    message.add_string(ModelField::kProducerName, model.producer);
    message.add_string(ModelField::kProducerVersion, model.producer_version);
    add_graph(message, model);
    for (const auto& [domain, version] : model.opsets) {
      Message<OpsetField> opset(message, ModelField::kOpsetImport);
      opset.add_string(OpsetField::kDomain, domain);
      opset.add_int64(OpsetField::kVersion, version);
    }
    for (const auto& [key, value] : model.metadata) {
      Message<EntryField> entry(message, ModelField::kMetadata);
      entry.add_string(EntryField::kKey, key);
      entry.add_string(EntryField::kValue, value);
    }
  }
  return bytes;
}

}  // namespace qbitopt::onnx
