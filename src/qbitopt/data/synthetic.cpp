#include "qbitopt/data/synthetic.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "qbitopt/core/random.h"
#include "qbitopt/data/memory_data_set.h"

namespace qbitopt {
namespace {

struct Wave {
  double cycles_down, cycles_right, phase;
};

struct Generator {
  uint64_t seed;
  int64_t classes, channels, size;
  double noise;

  // Three waves a class and channel, with up to three cycles over the image each way.
  std::vector<Wave> waves(int64_t label, int64_t channel) const {
    Random random(seed, "pattern of a synthetic class", static_cast<uint64_t>(label),
                  static_cast<uint64_t>(channel));
    std::vector<Wave> waves;
    for (int i = 0; i < 3; ++i) {
      const double down = std::floor(4 * random.uniform());
      const double right = std::floor(7 * random.uniform()) - 3;
      waves.push_back({down, right, 2 * std::numbers::pi * random.uniform()});
    }
    return waves;
  }

  // Labels go round, so that every class is there as often as any other.
  std::shared_ptr<const ImageArray> images(int64_t count, std::string_view purpose) const {
    auto array = std::make_shared<ImageArray>(
        ImageArray{.height = size, .width = size, .channels = channels});
    array->pixels.resize(static_cast<size_t>(count * array->bytes_per_image()));
    uint8_t* pixel = array->pixels.data();
    const double unit = 2 * std::numbers::pi / static_cast<double>(size);
    for (int64_t i = 0; i < count; ++i) {
      const int64_t label = i % classes;
      array->labels.push_back(static_cast<uint8_t>(label));
      Random random(seed, purpose, static_cast<uint64_t>(i));
      const double down = random.below(3);
      const double right = random.below(3);
      std::vector<std::vector<Wave>> pattern;
      for (int64_t c = 0; c < channels; ++c) pattern.push_back(waves(label, c));
      for (int64_t y = 0; y < size; ++y) {
        for (int64_t x = 0; x < size; ++x) {
          for (int64_t c = 0; c < channels; ++c) {
            double value = noise * random.normal();
            for (const Wave& wave : pattern[static_cast<size_t>(c)]) {
              value += std::cos(unit * (wave.cycles_down * (static_cast<double>(y) - down) +
                                        wave.cycles_right * (static_cast<double>(x) - right)) +
                                wave.phase) /
                       3;
            }
            *pixel++ = static_cast<uint8_t>(std::clamp(127.5 + 80 * value, 0.0, 255.0));
          }
        }
      }
    }
    return array;
  }
};

}  // namespace

std::unique_ptr<DataSet> make_synthetic(const Parameters& parameters) {
  const Generator generator{.seed = parameters.get<uint64_t>("generator_seed"),
                            .classes = parameters.get<int64_t>("classes"),
                            .channels = parameters.get<int64_t>("image_channels"),
                            .size = parameters.get<int64_t>("image_size"),
                            .noise = parameters.get<double>("noise")};
  const int64_t train = parameters.get<int64_t>("train_images");
  const int64_t validation = parameters.get<int64_t>("validation_images");
  std::vector<int64_t> indices(static_cast<size_t>(train + validation));
  std::iota(indices.begin(), indices.end(), int64_t{0});
  const bool augment = parameters.get<bool>("augment");
  return std::make_unique<MemoryDataSet>(
      generator.images(train + validation, "synthetic training image"),
      generator.images(parameters.get<int64_t>("test_images"), "synthetic test image"),
      std::vector<int64_t>(indices.begin(), indices.begin() + train),
      std::vector<int64_t>(indices.begin() + train, indices.end()),
      MemoryDataSetOptions{.classes = generator.classes,
                           .max_shift = augment ? 2 : 0,
                           .threads = parameters.get<int>("threads")});
}

}  // namespace qbitopt
