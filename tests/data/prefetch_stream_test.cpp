#include "qbitopt/data/prefetch_stream.h"

#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <limits>
#include <stdexcept>

namespace qbitopt {
namespace {

constexpr int64_t kEndless = std::numeric_limits<int64_t>::max();

Batch batch_of(int64_t index) {
  return {torch::full({1}, static_cast<float>(index)), torch::full({1}, index)};
}

std::vector<int64_t> read_all(BatchStream& stream) {
  std::vector<int64_t> indices;
  Batch batch;
  while (stream.next(batch)) indices.push_back(batch.labels.item<int64_t>());
  return indices;
}

TEST(PrefetchStreamTest, HandsOutInOrderAtAnyNumberOfThreads) {
  for (const int threads : {0, 1, 2, 5}) {
    PrefetchStream stream(
        [](int64_t index) {
          std::this_thread::sleep_for(std::chrono::microseconds(index % 3 * 200));
          return batch_of(index);
        },
        {.first = 3, .end = 12, .threads = threads});
    EXPECT_THAT(read_all(stream), testing::ElementsAre(3, 4, 5, 6, 7, 8, 9, 10, 11)) << threads;
    Batch untouched;
    EXPECT_FALSE(stream.next(untouched));
    EXPECT_FALSE(untouched.images.defined());
  }
}

TEST(PrefetchStreamTest, NeverLoadsMoreThanItsShareAhead) {
  std::atomic<int> loaded = 0;
  PrefetchStream stream(
      [&](int64_t index) {
        ++loaded;
        return batch_of(index);
      },
      {.end = kEndless, .threads = 2, .ahead = 3});
  Batch batch;
  for (int taken = 1; taken <= 20; ++taken) {
    ASSERT_TRUE(stream.next(batch));
    EXPECT_LE(loaded, taken + 3);
  }
}

TEST(PrefetchStreamTest, AnErrorComesOutAtItsBatch) {
  for (const int threads : {0, 1, 3}) {
    PrefetchStream stream(
        [](int64_t index) {
          if (index == 2) throw std::runtime_error("image 77 is damaged");
          return batch_of(index);
        },
        {.end = 4, .threads = threads});
    Batch batch;
    EXPECT_TRUE(stream.next(batch));
    EXPECT_TRUE(stream.next(batch));
    EXPECT_THROW(stream.next(batch), std::runtime_error) << threads;
  }
}

TEST(PrefetchStreamTest, CanBeLeftInTheMiddle) {
  for (int i = 0; i < 50; ++i) {
    PrefetchStream stream(batch_of, {.end = kEndless, .threads = 3});
    Batch batch;
    stream.next(batch);
  }
}

}  // namespace
}  // namespace qbitopt
