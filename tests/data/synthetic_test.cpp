#include "qbitopt/data/synthetic.h"

#include <gmock/gmock.h>

namespace qbitopt {
namespace {

std::unique_ptr<DataSet> synthetic(const Json& changes = Json::object()) {
  Json values = {{"classes", 4},        {"image_channels", 1},     {"image_size", 12},
                 {"train_images", 400}, {"validation_images", 40}, {"test_images", 200},
                 {"noise", 0.5},        {"generator_seed", 0},     {"augment", true},
                 {"threads", 1}};
  values.update(changes);
  return make_synthetic(Parameters(values));
}

Batch all(const DataSet& set, Split split) {
  Batch batch;
  set.once(split, set.size(split))->next(batch);
  return batch;
}

TEST(SyntheticTest, HasTheShapeThatIsAskedFor) {
  const auto set = synthetic({{"image_channels", 3}, {"image_size", 9}, {"train_images", 50}});
  EXPECT_EQ(set->image_shape(), (std::vector<int64_t>{3, 9, 9}));
  EXPECT_EQ(set->classes(), 4);
  EXPECT_EQ(set->size(Split::kTrain), 50);
  EXPECT_EQ(set->size(Split::kValidation), 40);
  EXPECT_EQ(set->size(Split::kTest), 200);
}

TEST(SyntheticTest, ImagesFollowFromTheGeneratorsSeed) {
  EXPECT_TRUE(
      torch::equal(all(*synthetic(), Split::kTest).images, all(*synthetic(), Split::kTest).images));
  EXPECT_FALSE(torch::equal(all(*synthetic(), Split::kTest).images,
                            all(*synthetic({{"generator_seed", 1}}), Split::kTest).images));
}

TEST(SyntheticTest, TheNearestClassMeanAlreadyRecognizesMostTestImages) {
  const auto set = synthetic();
  const Batch train = all(*set, Split::kTrain);
  const Batch test = all(*set, Split::kTest);
  std::vector<torch::Tensor> means;
  for (int label = 0; label < 4; ++label) {
    means.push_back(train.images.index({train.labels == label}).flatten(1).mean(0));
  }
  const torch::Tensor guess = torch::cdist(test.images.flatten(1), torch::stack(means)).argmin(1);
  EXPECT_GT((guess == test.labels).to(torch::kFloat).mean().item<float>(), 0.8);
}

}  // namespace
}  // namespace qbitopt
