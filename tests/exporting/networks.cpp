#include "exporting/networks.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <stdexcept>

#include "qbitopt/models/weights.h"

namespace qbitopt::exporting_tests {

namespace fs = std::filesystem;

fs::path source_folder() { return QBITOPT_SOURCE; }

const fs::path& networks_folder() {
  static const fs::path folder = [] {
    const fs::path python = source_folder() / ".venv/bin/python";
    if (!fs::exists(python)) return fs::path();
    const fs::path made = fs::path(testing::TempDir()) / "exported_networks";
    const std::string command = "OMP_NUM_THREADS=1 " + python.string() + " -W ignore " +
                                (source_folder() / "tests/exporting/networks.py").string() + " " +
                                made.string() + " >/dev/null";
    EXPECT_EQ(std::system(command.c_str()), 0) << command;
    return made;
  }();
  return folder;
}

const std::string& onnx_python() {
  static const std::string found = [] {
    const char* named = std::getenv("QBITOPT_EXPORT_PYTHON");
    const std::string python = named ? named : (source_folder() / ".venv/bin/python").string();
    const std::string command = python + " -c 'import onnx, onnxruntime' >/dev/null 2>&1";
    return std::system(command.c_str()) == 0 ? python : "";
  }();
  return found;
}

Subject::Subject(const std::string& name) {
  const fs::path file = networks_folder() / name;
  NetworkOptions options;
  options.classes = 5;
  network = read_graph_network(file.string() + ".pt2", options);
  network->measure(kImageShape);
  network->eval();
  images = read_weights(file.string() + ".pth").at("images");
}

void Subject::quantize(const UniformQuantizerOptions& options) {
  const torch::NoGradGuard no_grad;
  int bits = 2;
  for (QuantizerSite* site : network->sites()) {
    const auto quantizer = std::make_shared<UniformQuantizer>(site->spec(), options);
    quantizer->set_bits(bits);
    bits = bits == 8 ? 2 : bits + 1;
    site->attach(quantizer);
    quantizer->begin_calibration();
  }
  network->forward(images);
  for (QuantizerSite* site : network->sites()) site->quantizer()->end_calibration();
}

QuantizerSite& Subject::site(const std::string& name) {
  for (QuantizerSite* site : network->sites()) {
    if (site->spec().name == name) return *site;
  }
  throw std::invalid_argument(name);
}

}  // namespace qbitopt::exporting_tests
