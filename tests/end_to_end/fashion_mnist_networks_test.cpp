// Networks of PyTorch modules on real images: a vision transformer trained in every way, and exported
// networks that answer in onnxruntime as often rightly as the run log says.
#include <gmock/gmock.h>

#include <iostream>
#include <map>

#include "end_to_end/exported_module.h"

namespace qbitopt {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class FashionMnistNetworksTest : public testing::ExportedModule {
 protected:
  FashionMnistNetworksTest() {
    write("nets.py", R"(import torch
from torch import nn
from torch.nn import functional as F

class ViT(nn.Module):
    def __init__(self, width=32, depth=2):
        super().__init__()
        torch.manual_seed(0)
        self.patches = nn.Conv2d(1, width, 7, stride=7)
        self.token = nn.Parameter(torch.randn(1, 1, width) * 0.02)
        self.positions = nn.Parameter(torch.randn(1, 17, width) * 0.02)
        self.blocks = nn.Sequential(*(
            nn.TransformerEncoderLayer(width, 4, 2 * width, dropout=0.0, activation="gelu", batch_first=True,
                                       norm_first=True) for _ in range(depth)))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, 10)

    def forward(self, images):
        x = self.patches(images).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1) + self.positions
        return self.head(self.norm(self.blocks(x))[:, 0])

class Branches(nn.Module):
    """Concatenation, channel shuffle, group norm, PReLU, a gate."""
    def __init__(self):
        super().__init__()
        torch.manual_seed(1)
        self.stem = nn.Sequential(nn.Conv2d(1, 16, 5, stride=4, padding=2, bias=False), nn.BatchNorm2d(16), nn.ReLU())
        self.left = nn.Sequential(nn.Conv2d(8, 8, 3, padding=1, groups=8), nn.GroupNorm(2, 8), nn.PReLU(8))
        self.right = nn.Sequential(nn.Conv2d(8, 8, 3, padding=1, groups=2), nn.BatchNorm2d(8), nn.Hardswish())
        self.shuffle = nn.ChannelShuffle(2)
        self.gate = nn.Conv2d(16, 16, 1)
        self.last = nn.Sequential(nn.Conv2d(16, 32, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU6())
        self.head = nn.Linear(32, 10)

    def forward(self, images):
        x = self.stem(images)
        left, right = x.chunk(2, 1)
        y = self.shuffle(torch.cat([self.left(left), self.right(right)], 1))
        y = x + y * torch.sigmoid(self.gate(F.adaptive_avg_pool2d(y, 1)))
        return self.head(F.max_pool2d(self.last(y), 2).mean((2, 3)))

class Mixer(nn.Module):
    """Linear layers over patches and over channels, and attention that is written out."""
    def __init__(self, width=32):
        super().__init__()
        torch.manual_seed(2)
        self.patches = nn.Conv2d(1, width, 7, stride=7)
        self.tokens = nn.Sequential(nn.Linear(16, 32), nn.GELU(), nn.Linear(32, 16))
        self.qkv = nn.Linear(width, 3 * width)
        self.channels = nn.Sequential(nn.Linear(width, 64), nn.ReLU(), nn.Linear(64, width))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, 10)

    def forward(self, images):
        x = self.patches(images).flatten(2)
        x = (x + self.tokens(x)).transpose(1, 2)
        q, k, v = self.qkv(x).chunk(3, -1)
        x = x + torch.softmax(q @ k.transpose(1, 2) * 0.2, -1) @ v
        return self.head(self.norm(x + self.channels(x)).mean(1))
)");
  }

  void SetUp() override {
    ExportedModule::SetUp();
    if (!fs::exists("/usr/share/datasets/fashion-mnist"))
      GTEST_SKIP() << "needs the Debian package dataset-fashion-mnist";
  }

  // Of one network; `cases`: lines below `cases:`.
  void write_sweep(const std::string& name, const std::string& steps, const std::string& cases) {
    ASSERT_EQ(export_module("nets.py:" + name, "--input 1x28x28 -o " + name + ".pt2"), "");
    write("sweep.yaml",
          "qbitopt: 1\nname: " + name + "\nset:\n  model: " + name + R"(.pt2
  data: {name: fashion_mnist, validation_images: 500, augment: false}
  pretraining: {)" +
              steps + R"(, batch_size: 64, optimizer: adamw, learning_rate: 0.003, warmup_steps: 20}
  training: {)" +
              steps + R"(, batch_size: 64, optimizer: adamw, learning_rate: 0.001}
  calibration: {batches: 2, batch_size: 64}
  ranges.learning_rate: 0.0005
  weights.train: true
seeds: 1
cases:
)" + cases);
  }

  std::map<std::string, double> top1_by_method() const {
    const Rows runs = query("SELECT method, top1 FROM runs");
    std::map<std::string, double> top1;
    for (size_t row = 0; row < runs.size(); ++row)
      top1[runs.at(row, "method")] = runs.at(row, "top1");
    return top1;
  }

  // A Python with onnxruntime; empty if there is none.
  static std::string onnx_python() {
    const char* named = std::getenv("QBITOPT_EXPORT_PYTHON");
    const fs::path written = named ? named : python();
    const fs::path found = written.is_absolute() ? written : fs::path(QBITOPT_SOURCE) / written;
    const std::string command = found.string() + " -c 'import onnx, onnxruntime' >/dev/null 2>&1";
    return std::system(command.c_str()) == 0 ? found.string() : "";
  }

  // Top-1 of a file over the 10,000 test images, as onnxruntime computes it.
  double top1_in_onnxruntime(const std::string& file) const {
    const std::string command = onnx_python() +
                                " -W ignore " QBITOPT_SOURCE "/tests/exporting/top1_of_onnx.py " +
                                (folder_ / file).string() + " >" + (folder_ / "top1.txt").string();
    EXPECT_EQ(std::system(command.c_str()), 0) << command;
    return std::stod(read("top1.txt"));
  }
};

TEST_F(FashionMnistNetworksTest, AVisionTransformerTrainsToRowsOfATable) {
  write_sweep("ViT", "steps: 80", R"(  fp32:    {set: {method: fp32_continued}}
  fixed:   {set: {method: fixed_precision, budget.average_bits: 4}}
  qbitopt: {set: {method: qbitopt, budget.average_bits: 4, reallocation.tau: 40}}
)");
  const testing::Result run = qbitopt("run sweep.yaml");
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const auto top1 = top1_by_method();
  EXPECT_GT(top1.at("fp32_continued"), 60);
  EXPECT_GT(top1.at("fixed_precision"), 45);
  EXPECT_GT(top1.at("qbitopt"), 45);
  const std::string table = qbitopt("table ViT").out;
  for (const char* row : {"fp32", "fixed", "qbitopt"}) EXPECT_THAT(table, HasSubstr(row));
}

class ExportedNetworksTest : public FashionMnistNetworksTest,
                             public ::testing::WithParamInterface<std::string> {
 protected:
  void SetUp() override {
    FashionMnistNetworksTest::SetUp();
    if (!IsSkipped() && onnx_python().empty()) {
      GTEST_SKIP() << "no Python with onnx and onnxruntime (QBITOPT_EXPORT_PYTHON, "
                      ".venv/bin/python); make check-export has one";
    }
  }
};
INSTANTIATE_TEST_SUITE_P(AtMixedBits, ExportedNetworksTest,
                         ::testing::Values("Branches", "Mixer", "ViT"),
                         [](const auto& info) { return info.param; });

TEST_P(ExportedNetworksTest, AreAsOftenRightAsTheRunLogSays) {
  const std::string name = GetParam();
  // Attention is taken apart, or left whole.
  const std::string products = name == "ViT" ? ", quantizers.products: true" : "";
  write_sweep(
      name, "steps: 80",
      "  mixed: {set: {method: random_allocation, budget.average_bits: 4.5" + products + "}}\n");
  const testing::Result run = qbitopt("run sweep.yaml");
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const Rows runs = query("SELECT key, top1 FROM runs WHERE method = 'random_allocation'");
  const std::string key = runs.at(0, "key");
  const testing::Result onnx = qbitopt("export-network " + key + " -o net.onnx");
  ASSERT_EQ(onnx.exit_code, 0) << onnx.err;
  const double logged = runs.at(0, "top1"), found = top1_in_onnxruntime("net.onnx");
  EXPECT_GT(logged, 30);
  EXPECT_NEAR(found, logged, 0.1);
  std::cout << "top-1 " << logged << " in the run log, " << found << " in onnxruntime\n";
}

}  // namespace
}  // namespace qbitopt
