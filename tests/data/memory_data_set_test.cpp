#include "qbitopt/data/memory_data_set.h"

#include <gmock/gmock.h>

#include <numeric>
#include <set>

#include "qbitopt/core/error.h"

namespace qbitopt {
namespace {

constexpr int64_t kImages = 23;

// Every image has its index as label, so that an order can be read off the labels.
std::shared_ptr<ImageArray> numbered_images(int64_t count, int64_t channels = 1) {
  auto array =
      std::make_shared<ImageArray>(ImageArray{.height = 4, .width = 5, .channels = channels});
  for (int64_t i = 0; i < count; ++i) array->labels.push_back(static_cast<uint8_t>(i));
  for (int64_t i = 0; i < count * array->bytes_per_image(); ++i) {
    array->pixels.push_back(static_cast<uint8_t>((i * i * 37 + 11) % 251 + 1));  // never black
  }
  return array;
}

MemoryDataSet data_set(MemoryDataSetOptions options = {}, int64_t channels = 1) {
  const auto images = numbered_images(kImages, channels);
  std::vector<int64_t> train(kImages - 3);
  std::iota(train.begin(), train.end(), 0);
  return MemoryDataSet(images, numbered_images(7, channels), train, {20, 21, 22}, options);
}

struct Read {
  std::vector<int64_t> labels;
  torch::Tensor images;
};

Read read(BatchStream& stream, int batches) {
  Read result;
  std::vector<torch::Tensor> images;
  Batch batch;
  for (int i = 0; i < batches && stream.next(batch); ++i) {
    const int64_t* labels = batch.labels.data_ptr<int64_t>();
    result.labels.insert(result.labels.end(), labels, labels + batch.labels.numel());
    images.push_back(batch.images);
  }
  result.images = torch::cat(images);
  return result;
}

const MemoryDataSetOptions kAugmented = {.max_shift = 2, .flip = true};

TEST(MemoryDataSetTest, AnEpochHoldsEveryTrainingImageOnceAndTheNextAnotherOrder) {
  const auto set = data_set();
  const auto stream = set.train({.batch_size = 5, .seed = 1});
  const Read first = read(*stream, 4);
  const Read second = read(*stream, 4);
  EXPECT_EQ(std::set<int64_t>(first.labels.begin(), first.labels.end()).size(), 20u);
  EXPECT_EQ(std::set<int64_t>(second.labels.begin(), second.labels.end()).size(), 20u);
  EXPECT_NE(first.labels, second.labels);
}

TEST(MemoryDataSetTest, AnIncompleteLastBatchIsDropped) {
  const auto set = data_set();
  const auto stream = set.train({.batch_size = 8, .seed = 1});  // 2 of 2.5
  const Read first = read(*stream, 2);
  const Read second = read(*stream, 2);
  EXPECT_EQ(first.labels.size(), 16u);
  EXPECT_EQ(std::set<int64_t>(second.labels.begin(), second.labels.end()).size(), 16u);
}

TEST(MemoryDataSetTest, OrderAndAugmentationAreTheSameAtAnyNumberOfThreads) {
  const auto read_with = [](int threads) {
    MemoryDataSetOptions options = kAugmented;
    options.threads = threads;
    const auto set = data_set(options);
    return read(*set.train({.batch_size = 3, .seed = 4}), 30);
  };
  const Read expected = read_with(0);
  for (const int threads : {1, 2, 4}) {
    const Read found = read_with(threads);
    EXPECT_EQ(found.labels, expected.labels);
    EXPECT_TRUE(torch::equal(found.images, expected.images));
  }
}

TEST(MemoryDataSetTest, AStreamResumedAtAStepIsTheUninterruptedOne) {
  const auto set = data_set(kAugmented);
  const Read whole = read(*set.train({.batch_size = 3, .seed = 4}), 30);
  for (const int step : {1, 6, 7, 29}) {
    const Read rest = read(*set.train({.batch_size = 3, .seed = 4, .first_step = step}), 30 - step);
    EXPECT_TRUE(torch::equal(rest.images, whole.images.slice(0, 3 * step))) << step;
    EXPECT_EQ(rest.labels,
              std::vector<int64_t>(whole.labels.begin() + 3 * step, whole.labels.end()));
  }
}

TEST(MemoryDataSetTest, SeedsGiveDifferentOrders) {
  const auto set = data_set();
  EXPECT_NE(read(*set.train({.batch_size = 5, .seed = 1}), 4).labels,
            read(*set.train({.batch_size = 5, .seed = 2}), 4).labels);
}

TEST(MemoryDataSetTest, AugmentationIsAShiftAndAMirrorWithBlackBorders) {
  const auto augmented = read(*data_set(kAugmented).train({.batch_size = 20, .seed = 3}), 1);
  const auto plain = read(*data_set().once(Split::kTrain, 20), 1);
  const float black = -1;  // mean and deviation are 0.5
  std::set<std::vector<int64_t>> seen;
  for (int64_t i = 0; i < 20; ++i) {
    const torch::Tensor original = plain.images[augmented.labels[static_cast<size_t>(i)]];
    int matches = 0;
    for (int64_t down = -2; down <= 2; ++down) {
      for (int64_t right = -2; right <= 2; ++right) {
        for (const bool mirrored : {false, true}) {
          // Move within a frame of black, cut out, and mirror.
          torch::Tensor moved = torch::constant_pad_nd(original, {2, 2, 2, 2}, black)
                                    .slice(1, 2 - down, 6 - down)
                                    .slice(2, 2 - right, 7 - right);
          if (mirrored) moved = moved.flip({2});
          if (!torch::equal(moved, augmented.images[i])) continue;
          ++matches;
          seen.insert({down, right, mirrored});
        }
      }
    }
    EXPECT_EQ(matches, 1) << "image " << i;
  }
  EXPECT_GT(seen.size(), 10u);
}

TEST(MemoryDataSetTest, WithoutAugmentationTrainingImagesAreTheStoredOnes) {
  const auto set = data_set(kAugmented);
  const Read found = read(*set.train({.batch_size = 20, .seed = 3, .augment = false}), 1);
  const Read stored = read(*set.once(Split::kTrain, 20), 1);
  for (int64_t i = 0; i < 20; ++i) {
    EXPECT_TRUE(torch::equal(found.images[i], stored.images[found.labels[static_cast<size_t>(i)]]));
  }
}

TEST(MemoryDataSetTest, OnceReadsEverySplitInOrderWithAShortLastBatch) {
  const auto set = data_set();
  EXPECT_THAT(read(*set.once(Split::kValidation, 2), 10).labels, testing::ElementsAre(20, 21, 22));
  EXPECT_THAT(read(*set.once(Split::kTest, 4), 10).labels,
              testing::ElementsAre(0, 1, 2, 3, 4, 5, 6));
  EXPECT_THAT(read(*set.once(Split::kTest, 4, 5), 10).labels, testing::ElementsAre(0, 1, 2, 3, 4));
  EXPECT_EQ(set.size(Split::kTrain), 20);
  EXPECT_EQ(set.size(Split::kValidation), 3);
  EXPECT_EQ(set.size(Split::kTest), 7);
}

TEST(MemoryDataSetTest, ImagesAreNormalizedAndChannelsLast) {
  for (const int64_t channels : {1, 3}) {
    const auto set = data_set({.mean = 0.25, .deviation = 0.125}, channels);
    EXPECT_THAT(set.image_shape(), testing::ElementsAre(channels, 4, 5));
    Batch found;
    ASSERT_TRUE(set.once(Split::kTest, 7)->next(found));
    EXPECT_EQ(found.images.suggest_memory_format(), torch::MemoryFormat::ChannelsLast) << channels;
    const auto bytes = numbered_images(7, channels);
    const torch::Tensor pixels = torch::tensor(torch::ArrayRef<uint8_t>(bytes->pixels))
                                     .to(torch::kFloat64)
                                     .view({7, 4, 5, channels});
    const torch::Tensor expected = (pixels / 255 - 0.25) / 0.125;
    EXPECT_TRUE(
        torch::allclose(found.images.to(torch::kFloat64), expected.permute({0, 3, 1, 2}), 1e-6));
  }
}

TEST(MemoryDataSetTest, AStreamOutlivesItsDataSet) {
  std::unique_ptr<BatchStream> stream;
  {
    const auto set = data_set(kAugmented);
    stream = set.train({.batch_size = 4});
  }
  EXPECT_EQ(read(*stream, 8).labels.size(), 32u);
}

TEST(MemoryDataSetTest, ABatchLargerThanTheSetIsRefused) {
  const auto set = data_set();
  try {
    set.train({.batch_size = 21});
    FAIL();
  } catch (const InputError& error) {
    EXPECT_STREQ(error.what(),
                 "a batch of 21 images is more than the 20 training images there are; make "
                 "the batch (training., pretraining. or calibration.batch_size) smaller");
  }
}

}  // namespace
}  // namespace qbitopt
