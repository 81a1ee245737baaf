#include "qbitopt/training/evaluation.h"

#include <gtest/gtest.h>

#include "qbitopt/training/trainer.h"

namespace qbitopt {
namespace {

std::unique_ptr<DataSet> images_of(const Registries& registries, int classes) {
  return registries.data_sets.make("synthetic", Parameters({{"classes", classes},
                                                            {"image_channels", 1},
                                                            {"image_size", 8},
                                                            {"train_images", 16},
                                                            {"validation_images", 16},
                                                            {"test_images", 50},
                                                            {"noise", 0.5},
                                                            {"generator_seed", 0},
                                                            {"augment", false},
                                                            {"threads", 0}}));
}

// Labels are ranked by how many logits are larger.
TEST(EvaluationTest, TopOneAndTopFiveCountLabelsByTheirRank) {
  Registries registries;
  register_everything(registries);
  const auto data = images_of(registries, 10);
  const auto network = registries.networks.make("resnet8", {.classes = 10, .image_channels = 1});
  network->eval();
  const torch::NoGradGuard no_grad;
  int64_t right = 0, among_five = 0;
  double loss = 0;
  Batch batch;
  for (const auto images = data->once(Split::kTest, 16); images->next(batch);) {
    const torch::Tensor logits = network->forward(batch.images);
    const torch::Tensor own = logits.gather(1, batch.labels.unsqueeze(1));
    const torch::Tensor rank = logits.gt(own).sum(1);
    right += rank.eq(0).sum().item<int64_t>();
    among_five += rank.lt(5).sum().item<int64_t>();
    loss -= torch::log_softmax(logits, 1).gather(1, batch.labels.unsqueeze(1)).sum().item<double>();
  }
  ASSERT_GT(among_five, right);
  const Evaluation result = evaluate(*network, *data->once(Split::kTest, 16), torch::kCPU);
  EXPECT_EQ(result.images, 50);
  EXPECT_DOUBLE_EQ(result.top1, 2.0 * static_cast<double>(right));
  EXPECT_DOUBLE_EQ(result.top5.value(), 2.0 * static_cast<double>(among_five));
  EXPECT_NEAR(result.loss, loss / 50, 1e-5);
}

// Notes what GPUs may do with float32 while the network is evaluated.
class Tf32Spy : public Network {
 public:
  Tf32Spy() : Network(NetworkOptions()) {}
  torch::Tensor forward(const torch::Tensor& images) override {
    may_round = at::globalContext().allowTF32CuDNN() || at::globalContext().allowTF32CuBLAS();
    return torch::zeros({images.size(0), 10});
  }
  std::vector<LayerSites> layer_sites() const override { return {}; }
  void measure(at::IntArrayRef) override {}
  bool may_round = true;
};

TEST(EvaluationTest, Float32IsNotRoundedToTf32) {
  Registries registries;
  register_everything(registries);
  Tf32Spy network;
  ASSERT_TRUE(at::globalContext().allowTF32CuDNN());
  evaluate(network, *images_of(registries, 10)->once(Split::kTest, 16), torch::kCPU);
  EXPECT_FALSE(network.may_round);
  EXPECT_TRUE(at::globalContext().allowTF32CuDNN());
}

TEST(EvaluationTest, AmongFiveClassesThereIsNoTopFive) {
  Registries registries;
  register_everything(registries);
  const auto network = registries.networks.make("resnet8", {.classes = 5, .image_channels = 1});
  network->eval();
  const auto data = images_of(registries, 5);
  EXPECT_FALSE(evaluate(*network, *data->once(Split::kTest, 16), torch::kCPU).top5);
}

}  // namespace
}  // namespace qbitopt
