#pragma once

#include <string>

#include "qbitopt/onnx/model.h"

namespace qbitopt::onnx {

// The bytes of a .onnx file: a ModelProto (onnx.proto), with all tensors in it. Throws InputError
// for a model of 2 GiB and more, which no such file can hold.
std::string to_file(const Model& model);

}  // namespace qbitopt::onnx
