#include "qbitopt/data/imagenet.h"

#include <gmock/gmock.h>

#include <cmath>
#include <iterator>
#include <map>
#include <set>

#include "data/files.h"
#include "data/photographs.h"
#include "qbitopt/core/error.h"

namespace qbitopt {
namespace {

using torch::Tensor;

// 3 classes with 20 training and 4 test images each, of several formats and sizes; class c is c *
// 60 bright.
class ImageNetTest : public testing::Test {
 protected:
  ImageNetTest() {
    const TestFormat formats[] = {TestFormat::kJpeg, TestFormat::kGreyJpeg, TestFormat::kCmykJpeg,
                                  TestFormat::kPng};
    for (int c = 0; c < 3; ++c) {
      for (int i = 0; i < 24; ++i) {
        const std::string split = i < 20 ? "train" : "val";
        const std::string path =
            split + "/class" + std::to_string(c) + "/" + std::to_string(100 + i) + ".JPEG";
        write(path, encode_image(formats[i % 4], 40 + i, 64 - i, [&](int x, int y, int) {
                return static_cast<uint8_t>(c * 60 + (x + y) % 40);
              }));
      }
    }
  }
  void write(const std::string& path, const std::string& content) {
    std::filesystem::create_directories((folder_ / path).parent_path());
    write_raw(folder_ / path, content);
  }
  std::unique_ptr<DataSet> open(Json changes = Json::object()) {
    Json values = {{"root", folder_.string()}, {"classes", 3},  {"validation_images", 10000},
                   {"image_size", 32},         {"resize", 256}, {"min_scale", 0.08},
                   {"augment", true},          {"threads", 0}};
    values.update(changes);
    DataSetRegistry registry("data set");
    register_data_sets(registry);
    return registry.make("imagenet", Parameters(values));
  }
  TemporaryFolder folder_;
};

std::vector<Batch> read_batches(BatchStream& stream, int most) {
  std::vector<Batch> batches;
  for (Batch batch; most-- > 0 && stream.next(batch);) batches.push_back(batch);
  return batches;
}

TEST_F(ImageNetTest, HoldsATenthOfTheTrainingImagesOutAtMost) {
  const auto data = open();
  EXPECT_EQ(data->size(Split::kTrain), 54);
  EXPECT_EQ(data->size(Split::kValidation), 6);
  EXPECT_EQ(data->size(Split::kTest), 12);
  EXPECT_EQ(open({{"validation_images", 4}})->size(Split::kTrain), 56);
  EXPECT_EQ(data->classes(), 3);
  EXPECT_EQ(data->image_shape(), (std::vector<int64_t>{3, 32, 32}));
}

TEST_F(ImageNetTest, ImagesHaveTheirClassesBrightnessInEveryFormat) {
  const auto data = open();
  // Of networks in the style of Inception.
  const auto other = open({{"pixel_mean", {0.5, 0.5, 0.5}}, {"pixel_deviation", {0.5, 0.5, 0.5}}});
  const auto stream = data->once(Split::kTest, 5), other_stream = other->once(Split::kTest, 5);
  int64_t images = 0;
  for (const Batch& batch : read_batches(*stream, 100)) {
    const Tensor deviation = torch::tensor({0.229, 0.224, 0.225}).view({1, 3, 1, 1});
    const Tensor mean = torch::tensor({0.485, 0.456, 0.406}).view({1, 3, 1, 1});
    Batch same;
    ASSERT_TRUE(other_stream->next(same));
    EXPECT_LT(
        ((same.images + 1) / 2 - (batch.images * deviation + mean)).abs().max().item<double>(),
        1e-5);
    const Tensor brightness = ((batch.images * deviation + mean) * 255).mean({1, 2, 3});
    const Tensor expected = batch.labels * 60 + 19.5;
    EXPECT_LT((brightness - expected).abs().max().item<double>(), 4);
    EXPECT_EQ(batch.images.suggest_memory_format(), torch::MemoryFormat::ChannelsLast);
    images += batch.labels.numel();
  }
  EXPECT_EQ(images, 12);
}

TEST_F(ImageNetTest, ThreadsAndResumingChangeNothing) {
  const auto plain = read_batches(*open()->train({.batch_size = 9, .seed = 5}), 14);
  const auto threaded =
      read_batches(*open({{"threads", 3}})->train({.batch_size = 9, .seed = 5}), 14);
  const auto resumed =
      read_batches(*open()->train({.batch_size = 9, .seed = 5, .first_step = 13}), 1);
  for (size_t i = 0; i < plain.size(); ++i) {
    EXPECT_TRUE(torch::equal(plain[i].images, threaded[i].images));
    EXPECT_TRUE(torch::equal(plain[i].labels, threaded[i].labels));
  }
  EXPECT_TRUE(torch::equal(plain[13].images, resumed[0].images));
  const auto other = read_batches(*open()->train({.batch_size = 9, .seed = 6}), 1);
  EXPECT_FALSE(torch::equal(plain[0].images, other[0].images));
}

// Three batches to train on and the test images, one of them damaged, by the same transport.
std::vector<Batch> batches_by(const DataSet& data, Transport transport) {
  auto batches = read_batches(*data.train({.batch_size = 9, .seed = 5, .transport = transport}), 3);
  for (const Batch& batch : read_batches(*data.once(Split::kTest, 5, 0, transport), 100))
    batches.push_back(batch);
  return batches;
}

// What a GPU gets, normalized there, is what a CPU gets from the loading threads.
TEST_F(ImageNetTest, BytesNormalizedOnTheDeviceAreTheNormalizedImages) {
  write("val/class1/120.JPEG", "");
  const auto data = open({{"threads", 2}});
  const auto floats = batches_by(*data, transport_to(torch::kCPU));
  const auto bytes = batches_by(*data, {.as_bytes = true});
  ASSERT_EQ(bytes.size(), floats.size());
  for (size_t i = 0; i < floats.size(); ++i) {
    EXPECT_EQ(bytes[i].images.scalar_type(), torch::kUInt8);
    EXPECT_EQ(bytes[i].images.strides(), floats[i].images.strides());
    EXPECT_TRUE(torch::equal(bytes[i].labels, floats[i].labels));
    const Batch moved = on_device(bytes[i], torch::kCPU);
    EXPECT_EQ(moved.images.scalar_type(), torch::kFloat32);
    EXPECT_EQ(moved.images.suggest_memory_format(), torch::MemoryFormat::ChannelsLast);
    EXPECT_LE((moved.images - floats[i].images).abs().max().item<double>(), 1e-6);
    EXPECT_TRUE(torch::equal(on_device(floats[i], torch::kCPU).images, floats[i].images));
  }
}

TEST_F(ImageNetTest, PinnedBytesBecomeTheSameImagesOnAGpu) {
  if (!torch::cuda::is_available()) GTEST_SKIP() << "no GPU";
  for (const char* file : {"val/class1/120.JPEG", "val/class1/121.JPEG"}) write(file, "");
  const auto data = open({{"threads", 2}});
  const auto floats = batches_by(*data, transport_to(torch::kCPU));
  const auto bytes = batches_by(*data, transport_to(torch::kCUDA));
  ASSERT_EQ(bytes.size(), floats.size());
  for (size_t i = 0; i < floats.size(); ++i) {
    EXPECT_TRUE(bytes[i].images.is_pinned());
    const Batch moved = on_device(bytes[i], torch::kCUDA);
    EXPECT_EQ(moved.images.suggest_memory_format(), torch::MemoryFormat::ChannelsLast);
    EXPECT_LE((moved.images.cpu() - floats[i].images).abs().max().item<double>(), 1e-6);
    EXPECT_TRUE(torch::equal(moved.labels.cpu(), floats[i].labels));
  }
}

// A batch of images that were all left out travels too.
TEST_F(ImageNetTest, ABatchWithoutAnImageReachesTheGpu) {
  if (!torch::cuda::is_available()) GTEST_SKIP() << "no GPU";
  for (const auto& file : std::filesystem::recursive_directory_iterator(folder_ / "val"))
    if (file.is_regular_file()) write_raw(file.path(), "");
  const auto data = open();
  for (const Batch& batch :
       read_batches(*data->once(Split::kTest, 5, 0, transport_to(torch::kCUDA)), 100))
    EXPECT_EQ(on_device(batch, torch::kCUDA).labels.numel(), 0);
}

TEST_F(ImageNetTest, DamagedTrainingImagesAreReplacedAndCounted) {
  write("train/class0/100.JPEG", "");
  write("train/class2/119.JPEG", "GIF89a");
  const auto data = open();
  for (const Batch& batch : read_batches(*data->train({.batch_size = 9, .augment = false}), 6)) {
    EXPECT_EQ(batch.labels.numel(), 9);
    EXPECT_TRUE(batch.images.isfinite().all().item<bool>());
  }
  read_batches(*data->once(Split::kValidation, 6), 1);
  EXPECT_EQ(
      data->damaged(),
      (std::map<std::string, std::string>{
          {"train/class0/100.JPEG", "the file is empty"},
          {"train/class2/119.JPEG", "is GIF, neither JPEG nor PNG: it begins with 47 49 46 38"}}));
}

// File k is 4 * k bright. Before each held-out file of the list lies a damaged one.
TEST_F(ImageNetTest, DamagedTrainingImagesAreReplacedByTrainingImagesAlone) {
  std::map<std::string, int64_t> files;
  for (int k = 0; k < 60; ++k) {
    const std::string path =
        "train/class" + std::to_string(k / 20) + "/" + std::to_string(100 + k % 20) + ".JPEG";
    files[path] = k;
    write(path, "");
  }
  const auto unreadable = open();
  read_batches(*unreadable->once(Split::kValidation, 6), 1);
  const auto held_out = unreadable->damaged();
  ASSERT_EQ(held_out.size(), 6u);
  size_t damaged = 0;
  for (auto file = files.begin(); file != files.end(); ++file) {
    const auto next = std::next(file);
    if (next != files.end() && held_out.contains(next->first) && !held_out.contains(file->first)) {
      ++damaged;
      continue;
    }
    write(file->first, encode_image(TestFormat::kPng, 40, 40, [&](int, int, int) {
            return static_cast<uint8_t>(4 * file->second);
          }));
  }
  const auto data = open();
  const TrainStreamOptions options{.batch_size = 9, .augment = false};
  const auto batches = read_batches(*data->train(options), 12);
  EXPECT_EQ(data->damaged().size(), damaged);
  std::set<int64_t> seen;
  for (const Batch& batch : batches) {
    for (int64_t i = 0; i < 9; ++i) {
      const double red = batch.images[i][0].mean().item<double>();
      seen.insert(std::lround((red * 0.229 + 0.485) * 255 / 4));
    }
  }
  for (const auto& [path, reason] : held_out) EXPECT_FALSE(seen.contains(files.at(path))) << path;
  const auto again = read_batches(*open({{"threads", 3}})->train(options), 12);
  for (size_t i = 0; i < batches.size(); ++i)
    EXPECT_TRUE(torch::equal(batches[i].images, again[i].images));
}

TEST_F(ImageNetTest, DamagedTestImagesAreLeftOutAndCounted) {
  write("val/class1/120.JPEG", "\xff\xd8\xff");
  const auto data = open();
  int64_t images = 0;
  for (const Batch& batch : read_batches(*data->once(Split::kTest, 5), 100))
    images += batch.labels.numel();
  EXPECT_EQ(images, 11);
  EXPECT_EQ(data->damaged().size(), 1u);
}

TEST_F(ImageNetTest, AnEmptyDiskIsAnErrorAndNotAllDamage) {
  const auto data = open();
  std::filesystem::remove_all(folder_ / "train");
  try {
    read_batches(*data->train({.batch_size = 9}), 1);
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(),
                testing::HasSubstr("100 training images one after another cannot be read"));
  }
}

TEST_F(ImageNetTest, APartOfThePublishedSetIsSaid) {
  EXPECT_EQ(open()->remark(), "");  // three classes are no ImageNet
  std::filesystem::rename(folder_ / "train/class0", folder_ / "train/n01440764");
  for (const char* rest : {"train/class1", "train/class2", "val/class1", "val/class2"})
    std::filesystem::remove_all(folder_ / rest);
  std::filesystem::rename(folder_ / "val/class0", folder_ / "val/n01440764");
  EXPECT_THAT(open({{"classes", 1000}})->remark(),
              testing::HasSubstr("holds 20 of ImageNet's 1281167 training and 4 of its 50000 "
                                 "validation images; `qbitopt doctor --data` says more"));
}

TEST_F(ImageNetTest, ABatchLargerThanTheSetIsRefused) {
  try {
    open()->train({.batch_size = 55});
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("more than the 54 training images"));
  }
}

}  // namespace
}  // namespace qbitopt
