// Exported networks run by onnxruntime, where there is one, against what the network itself says.
#include <gmock/gmock.h>

#include <cstdio>
#include <fstream>
#include <iostream>

#include "exporting/networks.h"
#include "qbitopt/core/json.h"
#include "qbitopt/exporting/safetensors_file.h"
#include "qbitopt/exporting/to_onnx.h"
#include "qbitopt/onnx/model_file.h"

namespace qbitopt {
namespace {

namespace fs = std::filesystem;
using exporting_tests::kImageShape;
using exporting_tests::Subject;

// Of the largest logit. A sum in another order can move a value across the boundary between two
// codes, and what follows by a step; without that, differences stay below 1e-5.
constexpr double kTolerance = 1e-4;

void write_bytes(const fs::path& file, const std::string& bytes) {
  std::ofstream(file, std::ios::binary) << bytes;
}

// One JSON object for each pair of files.
std::vector<Json> run_files(const std::vector<fs::path>& files) {
  std::string command = exporting_tests::onnx_python() + " -W ignore " +
                        (exporting_tests::source_folder() / "tests/exporting/run_onnx.py").string();
  for (const fs::path& file : files) command += " " + file.string();
  FILE* pipe = ::popen(command.c_str(), "r");
  std::string out;
  char buffer[4096];
  while (const size_t size = std::fread(buffer, 1, sizeof buffer, pipe)) out.append(buffer, size);
  EXPECT_EQ(::pclose(pipe), 0) << command;
  std::vector<Json> results;
  std::istringstream lines(out);
  for (std::string line; std::getline(lines, line);) results.push_back(Json::parse(line));
  return results;
}

class RunOnnxTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (exporting_tests::networks_folder().empty())
      GTEST_SKIP() << ".venv/bin/python with PyTorch is missing";
    if (exporting_tests::onnx_python().empty()) {
      GTEST_SKIP() << "no Python with onnx and onnxruntime (QBITOPT_EXPORT_PYTHON, "
                      ".venv/bin/python); make check-export has one";
    }
  }
};
INSTANTIATE_TEST_SUITE_P(Networks, RunOnnxTest,
                         testing::Values("attention", "branches", "masks", "mixer", "norms",
                                         "own_attention", "products", "resized", "shapes",
                                         "transposed"),
                         [](const auto& info) { return info.param; });

TEST_P(RunOnnxTest, TheLogitsAreTheNetworks) {
  const fs::path folder = fs::path(testing::TempDir()) / "run_onnx";
  fs::create_directories(folder);
  std::vector<fs::path> files;
  const auto add = [&](Subject& subject, const std::string& name, const OnnxOptions& options) {
    const torch::NoGradGuard no_grad;
    const fs::path model = folder / (GetParam() + "_" + name + ".onnx");
    const fs::path examples = folder / (GetParam() + "_" + name + ".safetensors");
    write_bytes(model, onnx::to_file(to_onnx(subject.graph(), kImageShape, options).model));
    write_bytes(examples, to_safetensors({{"images", subject.images.contiguous()},
                                          {"logits", subject.network->forward(subject.images)}},
                                         {}));
    files.insert(files.end(), {model, examples});
  };
  Subject subject(GetParam());
  add(subject, "float32", {});
  subject.quantize({.signed_grid = SignedGrid::kSymmetric, .per_channel_weights = true});
  add(subject, "channels", {});
  subject.quantize({});
  add(subject, "tensors", {});
  add(subject, "unfolded", {.folds_batch_norms = false});
  add(subject, "newest", {.opset = 21});
  add(subject, "eighteen", {.opset = 18});
  const auto results = run_files(files);
  ASSERT_EQ(results.size(), files.size() / 2);
  for (const Json& result : results) {
    for (const char* how : {"optimized", "plain"}) {
      EXPECT_EQ(result.at(how).at("top1"), result.at(how).at("images")) << result;
      EXPECT_LT(result.at(how).at("difference").get<double>(), kTolerance) << result;
    }
  }
}

}  // namespace
}  // namespace qbitopt
