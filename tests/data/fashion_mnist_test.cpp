#include "qbitopt/data/fashion_mnist.h"

#include <gmock/gmock.h>

#include "data/files.h"
#include "qbitopt/core/error.h"

namespace qbitopt {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

const fs::path kInstalled = "/usr/share/datasets/fashion-mnist";

Parameters parameters(int64_t validation_images = 5000) {
  return Parameters(
      Json{{"validation_images", validation_images}, {"augment", true}, {"threads", 1}});
}

// Read once for all tests.
const FashionMnistImages& images() {
  static const FashionMnistImages images = read_fashion_mnist(kInstalled);
  return images;
}

std::string error_of(const std::string& folder) {
  try {
    read_fashion_mnist(folder);
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

class FashionMnistTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(kInstalled)) GTEST_SKIP() << "needs the Debian package dataset-fashion-mnist";
  }

  // A folder with links to the four files, to put others in their place.
  void link_files(const TemporaryFolder& folder) {
    for (const auto& entry : fs::directory_iterator(kInstalled)) {
      fs::create_symlink(entry.path(), folder / entry.path().filename());
    }
  }
};

TEST_F(FashionMnistTest, HasTheSizesOfThePaper) {
  const auto set = make_fashion_mnist(images(), parameters());
  EXPECT_EQ(set->size(Split::kTrain), 55000);
  EXPECT_EQ(set->size(Split::kValidation), 5000);
  EXPECT_EQ(set->size(Split::kTest), 10000);
  EXPECT_EQ(set->classes(), 10);
  EXPECT_EQ(set->image_shape(), (std::vector<int64_t>{1, 28, 28}));
}

TEST_F(FashionMnistTest, TestImagesAreTheFilesInOrder) {
  const auto set = make_fashion_mnist(images(), parameters());
  Batch batch;
  ASSERT_TRUE(set->once(Split::kTest, 8)->next(batch));
  // The first labels of t10k-labels-idx1-ubyte.
  EXPECT_TRUE(torch::equal(batch.labels, torch::tensor({9, 2, 1, 1, 6, 1, 4, 6}, torch::kInt64)));
}

TEST_F(FashionMnistTest, TrainingPixelsHaveMeanZeroAndVarianceOne) {
  const auto set = make_fashion_mnist(images(), parameters());
  Batch batch;
  ASSERT_TRUE(set->once(Split::kTrain, 20000)->next(batch));
  EXPECT_NEAR(batch.images.mean().item<float>(), 0, 0.01);
  EXPECT_NEAR(batch.images.std().item<float>(), 1, 0.01);
}

TEST_F(FashionMnistTest, ValidationIsAFixedPartOfTheTrainingImagesOfAllClasses) {
  const auto set = make_fashion_mnist(images(), parameters());
  Batch validation, smaller;
  ASSERT_TRUE(set->once(Split::kValidation, 5000)->next(validation));
  ASSERT_TRUE(
      make_fashion_mnist(images(), parameters(100))->once(Split::kValidation, 100)->next(smaller));
  EXPECT_TRUE(torch::equal(smaller.images, validation.images.slice(0, 0, 100)));
  const torch::Tensor counts = torch::bincount(validation.labels);
  EXPECT_GT(counts.min().item<int64_t>(), 400);
  EXPECT_LT(counts.max().item<int64_t>(), 600);
}

TEST_F(FashionMnistTest, AWrongNumberOfValidationImagesIsRefused) {
  try {
    make_fashion_mnist(images(), parameters(60000));
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("data.validation_images is 60000; expected 1 to 59999"));
  }
}

TEST_F(FashionMnistTest, AMissingFileSaysHowToGetIt) {
  EXPECT_THAT(
      error_of("/nowhere"),
      AllOf(HasSubstr("/nowhere/train-images-idx3-ubyte.gz: no such file"),
            HasSubstr("install the Debian package dataset-fashion-mnist, or set data.root")));
}

TEST_F(FashionMnistTest, ADamagedFileIsNamedWithWhatIsWrong) {
  TemporaryFolder folder;
  link_files(folder);
  const fs::path labels = folder / "t10k-labels-idx1-ubyte.gz";
  std::string bytes = read_raw(labels);
  fs::remove(labels);
  bytes[bytes.size() / 2] ^= 0x10;
  write_raw(labels, bytes);
  EXPECT_THAT(error_of(folder.string()),
              AllOf(HasSubstr("t10k-labels-idx1-ubyte.gz: is damaged after"),
                    HasSubstr("dataset-fashion-mnist")));
}

TEST_F(FashionMnistTest, AnotherSetIsNotTakenForIt) {
  TemporaryFolder folder;
  link_files(folder);
  const fs::path labels = folder / "train-labels-idx1-ubyte.gz";
  fs::remove(labels);
  write_gzip(labels, std::string("\0\0\x08\x01\0\0\xea\x60", 8).append(60000, '\0'));
  EXPECT_THAT(
      error_of(folder.string()),
      HasSubstr("train-labels-idx1-ubyte.gz: is not Fashion-MNIST: its values have sha256 "));

  fs::remove(labels);
  write_gzip(labels, std::string("\0\0\x08\x01\0\0\0\x03", 8).append("abc"));
  EXPECT_THAT(error_of(folder.string()),
              HasSubstr("train-labels-idx1-ubyte.gz: holds 3 bytes, expected 60000"));
}

}  // namespace
}  // namespace qbitopt
