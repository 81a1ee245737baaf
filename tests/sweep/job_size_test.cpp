#include "qbitopt/sweep/job_size.h"

#include <gtest/gtest.h>

namespace qbitopt {
namespace {

class JobSizeTest : public ::testing::Test {
 protected:
  static JobSize size(Json parameters) {
    static const Catalog catalog = Catalog::from_text(
        {{"net.yaml",
          "{kind: model, name: net, version: 1, summary: A model., weights: 1000,\n"
          " facts: {h100_images_per_second: 50}}"},
         {"digits.yaml",
          "{kind: data, name: digits, version: 1, summary: Data., train_images: 500}"},
         {"blobs.yaml", "{kind: data, name: blobs, version: 1, summary: Data.}"},
         {"job.yaml", "{kind: group, name: job, version: 1, summary: A job.}"}});
    parameters.update({{"model", "net"}});
    return size_of({.parameters = parameters}, catalog);
  }
};

TEST_F(JobSizeTest, StepsSeeABatchEach) {
  EXPECT_EQ(
      size({{"method", "qbitopt"}, {"training.steps", 10}, {"training.batch_size", 8}}).images, 80);
  EXPECT_EQ(
      size({{"method", "fp32"}, {"pretraining.steps", 10}, {"pretraining.batch_size", 4}}).images,
      40);
  EXPECT_EQ(size({{"method", "fp32"}, {"weights.root", "here"}}).images, 0);
}

TEST_F(JobSizeTest, EpochsSeeAllImages) {
  const Json epochs = {{"method", "qbitopt"}, {"training.epochs", 3}};
  const auto with = [&](Json more) {
    more.update(epochs);
    return size(more).images;
  };
  EXPECT_EQ(with({{"data.name", "digits"}}), 1500);
  EXPECT_EQ(with({{"data.name", "blobs"}, {"data.train_images", 20}}), 60);
  EXPECT_FALSE(with({{"data.name", "blobs"}}));
}

// 10 steps of 8 images at 50 images a second; a quarter of it at half the width and height.
TEST_F(JobSizeTest, SecondsOnAGpuFollowFromImagesAndPixels) {
  Json job = {{"method", "qbitopt"}, {"training.steps", 10}, {"training.batch_size", 8}};
  EXPECT_FALSE(size(job).h100_seconds) << "not on a GPU";
  job["device"] = "cuda";
  EXPECT_DOUBLE_EQ(size(job).h100_seconds.value(), 1.6);
  job["data.image_size"] = 112;
  EXPECT_DOUBLE_EQ(size(job).h100_seconds.value(), 0.4);
  EXPECT_EQ(size({{"method", "fp32"}, {"weights.root", "here"}, {"device", "cuda"}}).h100_seconds,
            0);
  EXPECT_FALSE(size({{"method", "qbitopt"},
                     {"training.epochs", 3},
                     {"data.name", "blobs"},
                     {"device", "cuda"}})
                   .h100_seconds)
      << "epochs of unknown length";
}

TEST_F(JobSizeTest, CheckpointsHoldTheWeights) {
  EXPECT_EQ(size({{"method", "qbitopt"}}).checkpoint_bytes, 4000);
}

}  // namespace
}  // namespace qbitopt
