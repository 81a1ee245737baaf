// EfficientNet-Lite0 with weights trained on ImageNet, on photographs: `make originals` brings
// both.
#include <gmock/gmock.h>

#include "end_to_end/sandbox.h"

namespace qbitopt {
namespace {

namespace fs = std::filesystem;

struct Photograph {
  const char* file;
  const char* wnid;
  int index;
  const char* name;
};
constexpr Photograph kPhotographs[] = {{"chelsea.png", "n02124075", 285, "Egyptian cat"},
                                       {"coffee.png", "n07920052", 967, "espresso"},
                                       {"rocket.jpg", "n03773504", 657, "missile"}};

class SlowRealWeightsTest : public testing::Sandbox {
 protected:
  void SetUp() override {
    for (const char* file :
         {"efficientnet_lite0.safetensors", "chelsea.png", "coffee.png", "rocket.jpg"}) {
      const fs::path from = fs::path(QBITOPT_REAL_WEIGHTS) / file;
      if (!fs::exists(from))
        GTEST_SKIP() << from << " is missing; `make originals` brings weights and photographs";
      fs::copy_file(from, folder_ / file);
    }
    environment_["QBITOPT_WORKER"] = QBITOPT_WORKER;
  }

  // Of each photograph, with its probability.
  std::vector<std::pair<Json, double>> answers(const std::string& options) {
    std::vector<std::pair<Json, double>> answers;
    for (const Json& answer :
         json_of("predict --model efficientnet_lite0 --weights efficientnet_lite0.safetensors " +
                 options + " chelsea.png coffee.png rocket.jpg"))
      answers.emplace_back(answer["top"][0], answer["top"][0]["probability"]);
    return answers;
  }
};

TEST_F(SlowRealWeightsTest, PhotographsAreNamedRightlyAlsoAtEightBits) {
  write("eight_bits.json", "{}");
  const auto full = answers("");
  const auto quantized = answers("--allocation eight_bits.json");
  for (size_t i = 0; i < std::size(kPhotographs); ++i) {
    for (const auto& [top, probability] : {full.at(i), quantized.at(i)}) {
      EXPECT_EQ(top["index"], kPhotographs[i].index) << kPhotographs[i].file;
      EXPECT_EQ(top["name"], kPhotographs[i].name);
    }
    EXPECT_NEAR(quantized[i].second, full[i].second, 0.1) << kPhotographs[i].file;
  }
}

TEST_F(SlowRealWeightsTest, TrainingAtFourBitsLowersTheLossFromWhereItStood) {
  for (const auto& [file, wnid, index, name] : kPhotographs) {
    for (int copy = 0; copy < 4; ++copy) {
      const fs::path folder = folder_ / "photos/train" / wnid;
      fs::create_directories(folder);
      fs::copy_file(folder_ / file, folder / (std::to_string(copy) + file));
    }
    fs::create_directories(folder_ / "photos/val" / wnid);
    fs::copy_file(folder_ / file, folder_ / "photos/val" / wnid / file);
  }
  write("real.yaml", R"(qbitopt: 1
name: real
extends: )" QBITOPT_EXPERIMENTS R"(/imagenet/efficientnet_lite0.yaml
set:
  device: cpu
  weights.root: .
  data: {root: photos, threads: 0}
  pretraining: {batch_size: 6}
  calibration: {batches: 1, batch_size: 6}
  batch_norm.reestimate_batches: 1
cases:
  fp32:  {set: {method: fp32}}
  fixed: {set: {method: fixed_precision, budget.average_bits: 4}}
)");
  const testing::Result run = qbitopt(
      "run real.yaml data.resize=256 training.epochs=0 training.steps=12 training.batch_size=6 "
      "training.learning_rate=0.01");
  ASSERT_EQ(run.exit_code, 0) << run.err;
  EXPECT_EQ(json_of("sql \"SELECT top1 FROM runs WHERE method = 'fp32'\"")[0]["top1"], 100);
  const Json curve = json_of(
      "sql \"SELECT value FROM curves WHERE metric = 'loss' AND split = 'train' ORDER BY step\"");
  ASSERT_EQ(curve.size(), 12u);
  const auto mean = [&](size_t first) {
    double sum = 0;
    for (size_t i = first; i < first + 4; ++i) sum += curve[i]["value"].get<double>();
    return sum / 4;
  };
  EXPECT_LT(mean(8), mean(0));
}

}  // namespace
}  // namespace qbitopt
