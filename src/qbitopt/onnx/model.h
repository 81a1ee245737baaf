#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

// ONNX models as plain data: what the messages of onnx.proto hold, as far as networks need it.
namespace qbitopt::onnx {

// With onnx.proto's numbers.
enum class Type : int32_t {
  kFloat = 1,
  kUint8 = 2,
  kInt8 = 3,
  kInt64 = 7,
  kBool = 9,
  kUint4 = 21,
  kInt4 = 22,
};

// Of one value; 4 and less for those that share a byte.
int bits_of(Type type);

// A tensor that the model owns.
struct Tensor {
  std::string name;
  Type type = Type::kFloat;
  std::vector<int64_t> shape;  // empty: a scalar
  std::string bytes;           // little-endian, row by row; of two 4-bit values the first is lower
};

using Attribute = std::variant<int64_t, float, std::string, std::vector<int64_t>>;

struct Node {
  std::string name;                 // unique
  std::string operation;            // "Conv"
  std::vector<std::string> inputs;  // names of values; empty: an optional one that is left out
  std::vector<std::string> outputs;
  std::map<std::string, Attribute> attributes;
  std::string domain;  // empty: ONNX's own
};

// What the model is given or returns.
struct Value {
  std::string name;
  Type type = Type::kFloat;
  std::vector<std::variant<int64_t, std::string>> shape;  // a text: any size, the same everywhere
};

struct Model {
  int64_t ir_version = 8;
  std::map<std::string, int64_t> opsets;  // version by domain
  std::string producer, producer_version;
  std::string name;
  std::vector<Value> inputs, outputs;
  std::vector<Tensor> tensors;
  std::vector<Node> nodes;  // each after those that make its inputs
  std::map<std::string, std::string> metadata;
};

}  // namespace qbitopt::onnx
