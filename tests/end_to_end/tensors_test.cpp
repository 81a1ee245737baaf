// Samples that are no photographs, from one file of arrays, the whole way to a table.
#include <gmock/gmock.h>

#include <cmath>

#include "end_to_end/exported_module.h"
#include "qbitopt/core/random.h"
#include "weights/npy.h"

namespace qbitopt {
namespace {

using ::testing::HasSubstr;
using weight_files::npy;

constexpr int64_t kSteps = 32;

// Two channels of noisy waves over 32 moments; the class is the frequency, of three.
std::map<std::string, std::string> waves(int64_t train, int64_t test) {
  std::map<std::string, std::string> arrays;
  for (const auto& [name, samples] : {std::pair("train", train), std::pair("test", test)}) {
    std::string x, y;
    for (int64_t i = 0; i < samples; ++i) {
      Random random(1, name, static_cast<uint64_t>(i));
      const double phase = 6 * random.uniform();
      y += weight_files::bytes(i % 3);
      for (const double shift : {0.0, 1.5}) {
        for (int64_t t = 0; t < kSteps; ++t) {
          const double wave = std::sin(0.3 * static_cast<double>((i % 3 + 1) * t) + phase + shift);
          x += weight_files::bytes(static_cast<float>(wave + 0.2 * random.normal()));
        }
      }
    }
    const std::string count = std::to_string(samples);
    arrays[std::string("x_") + name + ".npy"] = npy("<f4", "(" + count + ", 2, 32)", x);
    arrays[std::string("y_") + name + ".npy"] = npy("<i8", "(" + count + ",)", y);
  }
  return arrays;
}

class TensorsTest : public testing::ExportedModule {
 protected:
  TensorsTest() {
    write("waves.npz", weight_files::zip_file(waves(600, 90)));
    write("my_net.py", R"(import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.body = nn.Sequential(
            nn.Conv1d(2, 8, 5, stride=2, padding=2), nn.BatchNorm1d(8), nn.ReLU(),
            nn.Conv1d(8, 16, 5, stride=2, padding=2), nn.BatchNorm1d(16), nn.ReLU())
        self.head = nn.Linear(16, 3)

    def forward(self, signals):
        return self.head(self.body(signals).mean(2))
)");
    write("audio.yaml", R"(qbitopt: 1
name: audio
set:
  model: net.pt2
  data: {name: tensors, root: waves.npz, mean: 0.1, deviation: 0.7}
  pretraining: {epochs: 6, batch_size: 16, learning_rate: 0.05}
  training: {epochs: 2, batch_size: 16, learning_rate: 0.01}
  calibration: {batches: 2, batch_size: 16}
  reallocation: {tau: 10}
  weights.train: true
seeds: 1
cases:
  fp32:    {set: {method: fp32}}
  fixed:   {set: {method: fixed_precision, budget.average_bits: 4}}
  qbitopt: {set: {method: qbitopt, budget.average_bits: 4}}
)");
  }
};

TEST_F(TensorsTest, ASignalNetworkTrainsOnAnNpzFileToARowOfATable) {
  ASSERT_EQ(export_module("my_net.py:Net", "--input 2x32 -o net.pt2"), "");
  const testing::Result run = qbitopt("run audio.yaml");
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const Rows runs = query("SELECT method, top1, steps FROM runs ORDER BY method");
  ASSERT_EQ(runs.size(), 3u);
  for (size_t row = 0; row < runs.size(); ++row)
    EXPECT_GT(runs.at(row, "top1").get<double>(), 80) << runs.at(row, "method");
  // A tenth of the samples is held out: 540 are left.
  EXPECT_EQ(runs.at(1, "method"), "fp32");
  EXPECT_EQ(runs.at(1, "steps"), 6 * (540 / 16));
  EXPECT_THAT(qbitopt("table audio").out, HasSubstr("qbitopt"));

  const std::string key = query("SELECT key FROM runs WHERE method = 'qbitopt'").at(0, "key");
  const testing::Result onnx = qbitopt("export-network " + key + " -o net.onnx --examples e.st");
  ASSERT_EQ(onnx.exit_code, 0) << onnx.err;
  EXPECT_THAT(read("e.st"), HasSubstr(R"("shape":[32,2,32])"));

  // The content counts, not the name; other content is other data.
  std::filesystem::rename(folder_ / "waves.npz", folder_ / "moved.npz");
  const auto finished = [&] {
    const Json plan = json_of("plan audio.yaml data.root=moved.npz");
    return plan.at("counts").at("states").value("finished", 0);
  };
  EXPECT_EQ(finished(), 3);
  write("moved.npz", weight_files::zip_file(waves(600, 93)));
  EXPECT_EQ(finished(), 0);
}

TEST_F(TensorsTest, WhatDoesNotFitIsToldBeforeAnythingTrains) {
  ASSERT_EQ(export_module("my_net.py:Net", "--input 2x32 -o net.pt2"), "");
  const auto fault = [&](const std::string& more) {
    const testing::Result plan = qbitopt("plan audio.yaml " + more);
    EXPECT_EQ(plan.exit_code, 2) << more;
    return plan.err;
  };
  EXPECT_THAT(fault("data.root=nowhere.npz"), HasSubstr("nowhere.npz is missing"));
  write("broken.npz", "PK\x03\x04 and no more");
  EXPECT_THAT(fault("data.root=broken.npz"), HasSubstr("broken.npz is cut off"));
  auto arrays = waves(60, 30);
  arrays["y_test.npy"] = npy("<i8", "(30, 1)", std::string(240, '\0'));
  write("waves.npz", weight_files::zip_file(arrays));
  EXPECT_THAT(fault(""), HasSubstr("waves.npz has labels of shape [30, 1] in 'y_test'; expected "
                                   "[30], one for each sample of 'x_test'"));
  arrays = waves(60, 30);
  for (const char* name : {"x_train.npy", "x_test.npy"}) {
    std::string& array = arrays[name];
    array.replace(array.find(", 2, 32)"), 8, ", 32, 2)");
  }
  write("waves.npz", weight_files::zip_file(arrays));
  EXPECT_THAT(fault(""), HasSubstr("takes images of 2x32"));
  EXPECT_THAT(fault(""), HasSubstr("are 32x2"));
  write("audio.yaml", R"(qbitopt: 1
name: audio
set: {model: net.pt2, data.name: tensors, method: fp32}
)");
  EXPECT_THAT(fault(""), HasSubstr("'data.root' is missing"));
}

}  // namespace
}  // namespace qbitopt
