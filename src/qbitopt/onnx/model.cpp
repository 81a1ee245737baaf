#include "qbitopt/onnx/model.h"

namespace qbitopt::onnx {

int bits_of(Type type) {
  switch (type) {
    case Type::kFloat:
      return 32;
    case Type::kInt64:
      return 64;
    case Type::kUint4:
    case Type::kInt4:
      return 4;
    case Type::kUint8:
    case Type::kInt8:
    case Type::kBool:
      break;
  }
  return 8;
}

}  // namespace qbitopt::onnx
