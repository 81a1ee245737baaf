#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "qbitopt/models/graph_network.h"
#include "qbitopt/quant/uniform_quantizer.h"

namespace qbitopt::exporting_tests {

// The networks of networks.py, exported once by the Python that LibTorch comes from. Empty: there
// is none.
const std::filesystem::path& networks_folder();

// A Python that has onnxruntime: QBITOPT_EXPORT_PYTHON, or the one above. Empty: neither has.
const std::string& onnx_python();

std::filesystem::path source_folder();

// For tests of those networks: images of 3x16x16, 5 classes.
struct Subject {
  explicit Subject(const std::string& name);

  // Quantizers with 2, 3, ... 8, 2, ... bits, calibrated on the images.
  void quantize(const UniformQuantizerOptions& options);

  std::unique_ptr<Network> network;
  torch::Tensor images;

  GraphNetwork& graph() { return dynamic_cast<GraphNetwork&>(*network); }
  QuantizerSite& site(const std::string& name);
};

inline const std::vector<int64_t> kImageShape = {3, 16, 16};

}  // namespace qbitopt::exporting_tests
