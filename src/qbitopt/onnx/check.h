#pragma once

#include <string>
#include <vector>

#include "qbitopt/onnx/model.h"

namespace qbitopt::onnx {

// What is wrong with the structure of a model, one sentence each; empty if nothing is. Every value
// is made once and before it is read, every tensor is read, names are unique, every tensor has as
// many bytes as its shape says, and the scales and zero points of (De)QuantizeLinear fit the codes.
std::vector<std::string> faults_of(const Model& model);

}  // namespace qbitopt::onnx
