// A PyTorch module of the user's own, the whole way: exported, planned, trained, in a table.
#include <gmock/gmock.h>

#include "end_to_end/exported_module.h"

namespace qbitopt {
namespace {

using ::testing::HasSubstr;

class OwnNetworkTest : public testing::ExportedModule {
 protected:
  OwnNetworkTest() {
    // A small vision transformer with a convolutional stem and batch norm.
    write("my_net.py", R"(import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, classes=4):
        super().__init__()
        torch.manual_seed(0)
        self.stem = nn.Sequential(nn.Conv2d(1, 8, 3, stride=2, padding=1), nn.BatchNorm2d(8), nn.ReLU())
        self.mix = nn.TransformerEncoderLayer(8, 2, dim_feedforward=16, activation="gelu", batch_first=True)
        self.head = nn.Linear(8, classes)

    def forward(self, images):
        return self.head(self.mix(self.stem(images).flatten(2).transpose(1, 2)).mean(1))

class Pair(Net):
    def forward(self, images):
        return super().forward(images), images

class Token(Net):
    def __init__(self):
        super().__init__()
        self.token = nn.Parameter(torch.ones(1, 1, 8))
        self.turn = nn.Parameter(torch.eye(8))

    def forward(self, images):
        x = torch.einsum("bcn,cd->bnd", self.stem(images).flatten(2), self.turn) + self.token
        return self.head(self.mix(x).mean(1))

class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(8, 8, batch_first=True)
        self.head = nn.Linear(8, 4)

    def forward(self, images):
        return self.head(self.rnn(images[:, 0])[0][:, -1])

class Pairwise(Net):
    def forward(self, images):
        return super().forward(images.reshape(2, 1, 8, 8))
)");
    write("sweeps/own.yaml", sweep("../nets/net.pt2"));
  }

  void SetUp() override {
    ExportedModule::SetUp();
    std::filesystem::create_directories(folder_ / "nets");
  }

  static std::string sweep(const std::string& model) {
    return "qbitopt: 1\nname: own\nset:\n  model: " + model + R"(
  data: {name: synthetic, classes: 4, image_size: 8, train_images: 256, validation_images: 64, test_images: 64}
  pretraining: {steps: 150, batch_size: 16, learning_rate: 0.02}
  training: {steps: 20, batch_size: 16, learning_rate: 0.01}
  calibration: {batches: 2, batch_size: 16}
  reallocation: {tau: 10}
  weights.train: true
seeds: 1
cases:
  fp32:    {set: {method: fp32}}
  fixed:   {set: {method: fixed_precision, budget.average_bits: 4, oscillations.track: true}}
  qbitopt: {set: {method: qbitopt, budget.average_bits: 4}}
)";
  }

  std::string export_network(const std::string& network, const std::string& options) const {
    return export_module("my_net.py:" + network, options);
  }
};

TEST_F(OwnNetworkTest, AModuleIsExportedTrainedAndComparedInATable) {
  ASSERT_EQ(export_network("Net", "--input 1x8x8 -o nets/net.pt2"), "");
  const Json quantizers = json_of("models nets/net.pt2 --quantizers");
  ASSERT_EQ(quantizers.size(), 12u);  // stem, in_proj, out_proj, two linear layers, head
  EXPECT_EQ(quantizers[0]["name"], "stem.0.input");
  EXPECT_EQ(quantizers[2]["name"], "mix.self_attn.in_proj.input");
  EXPECT_EQ(quantizers[2]["grid"], "unsigned");
  EXPECT_EQ(quantizers[8]["name"], "mix.linear2.input");
  EXPECT_EQ(quantizers[8]["grid"], "offset");

  const testing::Result run = qbitopt("run sweeps/own.yaml");
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const Rows runs =
      query("SELECT method, model, top1, steps, weight_bits FROM runs ORDER BY method");
  ASSERT_EQ(runs.size(), 3u);
  for (size_t row = 0; row < runs.size(); ++row) {
    EXPECT_EQ(runs.at(row, "model"), "net.pt2");
    EXPECT_GT(runs.at(row, "top1").get<double>(), 25) << runs.at(row, "method");  // chance
  }
  EXPECT_EQ(runs.at(1, "method"), "fp32");
  EXPECT_EQ(runs.at(1, "steps"), 150);
  EXPECT_LE(runs.at(2, "weight_bits").get<double>(), 4);
  // What concerns weights finds them in a graph, too.
  EXPECT_GT(query("SELECT step FROM curves WHERE metric = 'oscillating_weights'").size(), 0u);
  EXPECT_THAT(qbitopt("table own").out, HasSubstr("qbitopt"));

  // The same content under another name is the same network.
  std::filesystem::rename(folder_ / "nets/net.pt2", folder_ / "moved.pt2");
  write("sweeps/own.yaml", sweep("../moved.pt2"));
  const Json plan = json_of("plan sweeps/own.yaml");
  EXPECT_EQ(plan.at("counts").at("states").at("finished"), 3) << plan.at("counts").dump();
}

TEST_F(OwnNetworkTest, ItsWeightsAreMeasuredAsTheyAreUnlessTheyAreTrained) {
  ASSERT_EQ(export_network("Net", "--input 1x8x8 -o nets/net.pt2"), "");
  const testing::Result run = qbitopt("run sweeps/own.yaml weights.train=false");
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const Rows runs = query("SELECT steps FROM runs WHERE method = 'fp32'");
  ASSERT_EQ(runs.size(), 1u);
  EXPECT_EQ(runs.at(0, "steps"), 0);
}

TEST_F(OwnNetworkTest, ATrainedNetworkIsExportedForOtherPrograms) {
  ASSERT_EQ(export_network("Net", "--input 1x8x8 -o nets/net.pt2"), "");
  const testing::Result run = qbitopt("run sweeps/own.yaml");
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const Rows rows = query("SELECT key, weight_bytes FROM runs WHERE method = 'qbitopt'");
  const std::string key = rows.at(0, "key"), job = key.substr(0, 10);

  const testing::Result onnx =
      qbitopt("export-network " + job + " -o out/net.onnx --examples out/examples.safetensors");
  ASSERT_EQ(onnx.exit_code, 0) << onnx.err;
  EXPECT_THAT(onnx.out, HasSubstr("wrote out/net.onnx ("));
  const std::string model = read("out/net.onnx");
  for (const std::string& text : {key, std::string("QuantizeLinear"), std::string("stem.0.weight"),
                                  std::string("input_mean")})
    EXPECT_NE(model.find(text), std::string::npos) << text;
  EXPECT_THAT(read("out/examples.safetensors"), HasSubstr(R"("shape":[32,1,8,8])"));

  ASSERT_EQ(qbitopt("export-network " + job + " -o net.st --format safetensors").exit_code, 0);
  EXPECT_THAT(read("net.st"),
              HasSubstr(R"("weight_bytes":")" + rows.at(0, "weight_bytes").dump() + R"(")"));
  ASSERT_EQ(qbitopt("export-network " + job + " -o net_q.onnx --format qonnx").exit_code, 0);
  EXPECT_THAT(read("net_q.onnx"), HasSubstr("qonnx.custom_op.general"));
  const testing::Result aimet =
      qbitopt("export-network " + job + " -o float.onnx --format aimet --encodings 0.6.1");
  ASSERT_EQ(aimet.exit_code, 0) << aimet.err;
  EXPECT_EQ(Json::parse(read("float.encodings")).at("version"), "0.6.1");
  ASSERT_EQ(qbitopt("export-network nets/net.pt2 -o untrained.onnx").exit_code, 0);
  EXPECT_THAT(read("untrained.onnx"), ::testing::Not(HasSubstr("QuantizeLinear")));

  // The file that the job left, in its folder; and what is not there.
  const std::string folder =
      query("SELECT folder FROM attempt JOIN job ON job.id = attempt.job_id WHERE key = '" + key +
            "'")
          .at(0, "folder");
  const std::string left = "results/" + folder + "/model.pth";
  ASSERT_TRUE(std::filesystem::exists(folder_ / left)) << left;
  EXPECT_EQ(qbitopt("export-network " + left + " -o again.onnx").exit_code, 0);
  EXPECT_THAT(read("again.onnx"), HasSubstr(key));
  std::filesystem::copy(folder_ / left, folder_ / "model.pth");
  EXPECT_THAT(qbitopt("export-network model.pth -o x.onnx").err,
              HasSubstr("model.pth: no job.json beside it"));
  EXPECT_THAT(qbitopt("export-network " + job + " -o x.onnx --format onnnx").err,
              HasSubstr("unknown format 'onnnx', did you mean 'onnx'?"));
  EXPECT_THAT(qbitopt("export-network " + job + " -o x.onnx --opset 16").err,
              HasSubstr("--opset takes a number from 17 to 21"));
  EXPECT_THAT(qbitopt("export-network " + job).err, HasSubstr("Give --output"));
  std::filesystem::rename(folder_ / "nets/net.pt2", folder_ / "moved.pt2");
  EXPECT_THAT(qbitopt("export-network " + job + " -o x.onnx").err,
              HasSubstr("name its copy with --model FILE"));
  EXPECT_EQ(qbitopt("export-network " + job + " -o x.onnx --model moved.pt2").exit_code, 0);
  write("results/" + folder + "/model.pth", "damaged");
  EXPECT_THAT(qbitopt("export-network " + job + " -o y.onnx").err,
              HasSubstr("not what job " + job + " left"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "y.onnx"));
}

TEST_F(OwnNetworkTest, QuantizersAreSkippedPinnedAndAddedByName) {
  ASSERT_EQ(export_network("Net", "--input 1x8x8 -o nets/net.pt2"), "");
  const Json listed = json_of(
      "models nets/net.pt2 --quantizers --skip 'mix.linear1.*,head.input' --pin mix.linear2.weight "
      "--products");
  std::map<std::string, Json> bits;
  for (const Json& one : listed) bits[one["name"]] = one["pinned_bits"];
  EXPECT_EQ(bits.size(), 12u - 3 + 4);
  EXPECT_EQ(bits.count("mix.linear1.weight") + bits.count("head.input"), 0u);
  EXPECT_EQ(bits.at("mix.linear2.weight"), 8);
  EXPECT_TRUE(bits.at("mix.linear2.input").is_null());
  EXPECT_EQ(bits.count("mix.self_attn.matmul.left_2.input"), 1u);
  EXPECT_THAT(qbitopt("models nets/net.pt2 --quantizers --pin mix.linaer2.weight").err,
              HasSubstr("fits no quantizer; near: mix.linear2.weight"));
  EXPECT_EQ(qbitopt("models nets/net.pt2 --skip x").exit_code, 2);

  const std::string placed =
      "\"quantizers.skip=[mix.linear1.*, head.input]\" \"quantizers.pin=[mix.linear2.weight]\" "
      "quantizers.products=true";
  const testing::Result run = qbitopt("run sweeps/own.yaml pretraining.steps=20 " + placed);
  ASSERT_EQ(run.exit_code, 0) << run.err;
  const Rows final_bits =
      query("SELECT quantizer, bits FROM bits WHERE method = 'qbitopt' ORDER BY quantizer");
  std::map<std::string, int> trained;
  for (size_t row = 0; row < final_bits.size(); ++row)
    trained[final_bits.at(row, "quantizer")] = final_bits.at(row, "bits");
  EXPECT_EQ(trained.size(), bits.size());
  EXPECT_EQ(trained.at("mix.linear2.weight"), 8);
  EXPECT_EQ(trained.count("mix.linear1.input"), 0u);
  const std::string key = query("SELECT key FROM runs WHERE method = 'qbitopt'").at(0, "key");
  const testing::Result onnx = qbitopt("export-network " + key + " -o placed.onnx");
  ASSERT_EQ(onnx.exit_code, 0) << onnx.err;
  EXPECT_THAT(read("placed.onnx"), HasSubstr("matmul.left_2.input_scale"));

  // Another placement is another job, except for the fp32 job, which has none.
  const Json plan = json_of("plan sweeps/own.yaml pretraining.steps=20");
  EXPECT_EQ(plan.at("counts").at("states").at("finished"), 1) << plan.at("counts").dump();
  const testing::Result typo =
      qbitopt("plan sweeps/own.yaml \"quantizers.skip=[mix.linaer1.weight]\"");
  EXPECT_EQ(typo.exit_code, 2);
  EXPECT_THAT(typo.err, HasSubstr("does not fit quantizers.skip: 'mix.linaer1.weight' fits no "
                                  "quantizer; near: mix.linear1.weight"));
}

TEST_F(OwnNetworkTest, WhatDoesNotFitIsToldBeforeAnythingTrains) {
  const testing::Result missing = qbitopt("plan sweeps/own.yaml");
  EXPECT_EQ(missing.exit_code, 2);
  EXPECT_THAT(missing.err, HasSubstr("own.yaml:4:10: model '"));
  EXPECT_THAT(missing.err, HasSubstr("nets/net.pt2': no such file"));
  ASSERT_EQ(export_network("Net", "--input 1x8x8 --arguments classes=7 -o nets/net.pt2"), "");
  const testing::Result classes = qbitopt("plan sweeps/own.yaml");
  EXPECT_EQ(classes.exit_code, 2);
  EXPECT_THAT(classes.err, HasSubstr("has 7 classes, but the data set has 4"));
  ASSERT_EQ(export_network("Recurrent", "--input 1x8x8 -o nets/net.pt2"), "");
  const testing::Result recurrent = qbitopt("plan sweeps/own.yaml");
  EXPECT_EQ(recurrent.exit_code, 2);
  EXPECT_THAT(recurrent.err, HasSubstr("aten.lstm.input in module 'rnn' is a recurrent layer"));
  write("nets/net.pt2", "no network");
  EXPECT_THAT(qbitopt("plan sweeps/own.yaml").err, HasSubstr("net.pt2' is no .pt2 file"));
  EXPECT_THAT(qbitopt("models nets/net.pt2 --quantizers").err, HasSubstr("is no .pt2 file"));
}

TEST_F(OwnNetworkTest, TheListTellsWhichMatricesHaveNoQuantizer) {
  ASSERT_EQ(export_network("Token", "--input 1x8x8 -o nets/net.pt2"), "");
  EXPECT_THAT(qbitopt("models nets/net.pt2 --quantizers").out,
              HasSubstr("without a quantizer: token, turn (72 parameters)\n"));
  ASSERT_EQ(export_network("Net", "--input 1x8x8 -o nets/net.pt2"), "");
  EXPECT_THAT(qbitopt("models nets/net.pt2 --quantizers").out,
              ::testing::Not(HasSubstr("without a quantizer")));
}

TEST_F(OwnNetworkTest, TheExportSaysWhatIsWrong) {
  EXPECT_THAT(export_network("Pairwise", "--input 1x8x8 -o net.pt2"),
              HasSubstr("the network fails on 3 images of 1x8x8: shape '[2, 1, 8, 8]' is invalid"));
  EXPECT_THAT(export_network("Pair", "--input 1x8x8 -o net.pt2"),
              HasSubstr("the network returns tuple; expected logits"));
  EXPECT_THAT(export_network("Nte", "--input 1x8x8 -o net.pt2"),
              HasSubstr("my_net.py has no 'Nte'; it has Net, Pair"));
  EXPECT_THAT(export_network("Net", "--input 1x8 -o net.onnx"), HasSubstr("must end in .pt2"));
  EXPECT_THAT(export_network("Net", "--input big -o net.pt2"), HasSubstr("as in 3x224x224"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "net.pt2"));
}

}  // namespace
}  // namespace qbitopt
