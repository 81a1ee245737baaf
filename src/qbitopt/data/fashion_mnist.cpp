#include "qbitopt/data/fashion_mnist.h"

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "qbitopt/core/error.h"
#include "qbitopt/core/hash.h"
#include "qbitopt/core/random.h"
#include "qbitopt/data/idx_file.h"

namespace qbitopt {
namespace {

constexpr int64_t kSide = kFashionMnistSide;
constexpr int kClasses = 10;

struct KnownFile {
  const char* name;
  std::vector<int64_t> shape;
  // Of the values, without the IDX header: the compressed bytes differ between mirrors.
  const char* sha256;
};

[[noreturn]] void refuse(const std::string& what) {
  throw InputError(what +
                   "\nFashion-MNIST: install the Debian package dataset-fashion-mnist, or set "
                   "data.root to a folder "
                   "with the four .gz files of https://github.com/zalandoresearch/fashion-mnist");
}

std::string shape_text(const std::vector<int64_t>& shape) {
  std::string text;
  for (const int64_t size : shape) text += (text.empty() ? "" : " x ") + std::to_string(size);
  return text;
}

std::vector<uint8_t> read_known(const std::filesystem::path& folder, const KnownFile& known) {
  const std::filesystem::path file = folder / known.name;
  ByteTensor tensor;
  try {
    tensor = read_idx_gz(file);
  } catch (const InputError& error) {
    refuse(error.what());
  }
  if (tensor.shape != known.shape) {
    refuse(file.string() + ": holds " + shape_text(tensor.shape) + " bytes, expected " +
           shape_text(known.shape));
  }
  const std::string found = sha256(
      std::string_view(reinterpret_cast<const char*>(tensor.values.data()), tensor.values.size()));
  if (found != known.sha256) {
    refuse(file.string() + ": is not Fashion-MNIST: its values have sha256 " + found +
           ", expected " + known.sha256);
  }
  return std::move(tensor.values);
}

}  // namespace

FashionMnistImages read_fashion_mnist(const std::string& folder) {
  const auto read = [&](const KnownFile& images, const KnownFile& labels) {
    auto array = std::make_shared<ImageArray>(ImageArray{.height = kSide, .width = kSide});
    array->pixels = read_known(folder, images);
    array->labels = read_known(folder, labels);
    return array;
  };
  return {.train = read({"train-images-idx3-ubyte.gz",
                         {60000, kSide, kSide},
                         "2e487a6c89124f78f2d7521542223cafe96f7123c3ca13d447772ac6ecbb3012"},
                        {"train-labels-idx1-ubyte.gz",
                         {60000},
                         "657fbd221bfc9f4198cc14b5619cc33ec57c58dd0e47af4d99d6650759e869a7"}),
          .test = read({"t10k-images-idx3-ubyte.gz",
                        {10000, kSide, kSide},
                        "c867c93ff95360594e8ec3287995350b824dd110b11595c0e13d5423f621867a"},
                       {"t10k-labels-idx1-ubyte.gz",
                        {10000},
                        "3d0e6c6ea990b53b6f8f500a41cac93881d981b315f84578b7d915342ade01e9"})};
}

std::unique_ptr<DataSet> make_fashion_mnist(const FashionMnistImages& images,
                                            const Parameters& parameters) {
  const int64_t held_out = parameters.get<int64_t>("validation_images");
  const int64_t total = images.train->size();
  if (held_out < 1 || held_out >= total) {
    throw InputError("data.validation_images is " + std::to_string(held_out) + "; expected 1 to " +
                     std::to_string(total - 1) + ", as they are taken from the training images");
  }
  const auto order = Random(0, "validation images of fashion_mnist").permutation(total);
  const bool augment = parameters.get<bool>("augment");
  return std::make_unique<MemoryDataSet>(
      images.train, images.test, std::vector<int64_t>(order.begin() + held_out, order.end()),
      std::vector<int64_t>(order.begin(), order.begin() + held_out),
      MemoryDataSetOptions{.classes = kClasses,
                           .mean = kFashionMnistMean,
                           .deviation = kFashionMnistDeviation,
                           .max_shift = augment ? 2 : 0,
                           .flip = augment,
                           .threads = parameters.get<int>("threads")});
}

}  // namespace qbitopt
