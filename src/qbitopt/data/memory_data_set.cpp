#include "qbitopt/data/memory_data_set.h"

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>
#include <string>
#include <utility>

#include "qbitopt/core/error.h"
#include "qbitopt/core/random.h"
#include "qbitopt/data/epoch_order.h"
#include "qbitopt/data/prefetch_stream.h"

namespace qbitopt {
namespace {

// How one image is moved and mirrored.
struct Placement {
  int64_t down = 0;
  int64_t right = 0;
  bool mirrored = false;
};

}  // namespace

struct MemoryDataSet::Content {
  std::shared_ptr<const ImageArray> train_array;
  std::shared_ptr<const ImageArray> test_array;
  std::vector<int64_t> train, validation, test;
  MemoryDataSetOptions options;
  std::array<float, 256> normalized;

  const std::vector<int64_t>& indices(Split split) const {
    return split == Split::kTrain ? train : split == Split::kValidation ? validation : test;
  }
  const ImageArray& array(Split split) const {
    return split == Split::kTest ? *test_array : *train_array;
  }

  Placement draw_placement(uint64_t seed, int64_t epoch, int64_t image) const {
    Random random(seed, "augmentation", static_cast<uint64_t>(epoch), static_cast<uint64_t>(image));
    const auto shift = [&] {
      return static_cast<int64_t>(random.below(2 * static_cast<uint64_t>(options.max_shift) + 1)) -
             options.max_shift;
    };
    Placement placement;
    placement.down = shift();
    placement.right = shift();
    placement.mirrored = options.flip && random.below(2) == 1;
    return placement;
  }

  // target: [height, width, channels], which is how one channels-last image lies in memory.
  void write_image(const ImageArray& from, int64_t index, const Placement& placement,
                   float* target) const {
    const uint8_t* source = from.pixels.data() + index * from.bytes_per_image();
    for (int64_t y = 0; y < from.height; ++y) {
      for (int64_t x = 0; x < from.width; ++x, target += from.channels) {
        const int64_t row = y - placement.down;
        const int64_t column = (placement.mirrored ? from.width - 1 - x : x) - placement.right;
        const bool is_inside = row >= 0 && row < from.height && column >= 0 && column < from.width;
        const uint8_t* pixel =
            is_inside ? source + (row * from.width + column) * from.channels : nullptr;
        for (int64_t c = 0; c < from.channels; ++c) target[c] = normalized[pixel ? pixel[c] : 0];
      }
    }
  }

  // `placement`: called with each image's index.
  template <typename PlacementOf>
  Batch make_batch(Split split, const int64_t* images, int64_t count, PlacementOf placement) const {
    const ImageArray& from = array(split);
    Batch batch;
    batch.images = torch::empty({count, from.channels, from.height, from.width},
                                torch::MemoryFormat::ChannelsLast);
    batch.labels = torch::empty({count}, torch::kInt64);
    for (int64_t i = 0; i < count; ++i) {
      write_image(from, images[i], placement(images[i]),
                  batch.images.data_ptr<float>() + i * from.bytes_per_image());
      batch.labels.data_ptr<int64_t>()[i] = from.labels[static_cast<size_t>(images[i])];
    }
    return batch;
  }
};

MemoryDataSet::MemoryDataSet(std::shared_ptr<const ImageArray> train_array,
                             std::shared_ptr<const ImageArray> test_array,
                             std::vector<int64_t> train, std::vector<int64_t> validation,
                             const MemoryDataSetOptions& options) {
  auto content = std::make_shared<Content>();
  content->test.resize(static_cast<size_t>(test_array->size()));
  std::iota(content->test.begin(), content->test.end(), int64_t{0});
  content->train_array = std::move(train_array);
  content->test_array = std::move(test_array);
  content->train = std::move(train);
  content->validation = std::move(validation);
  content->options = options;
  for (size_t byte = 0; byte < 256; ++byte) {
    content->normalized[byte] =
        static_cast<float>((static_cast<double>(byte) / 255 - options.mean) / options.deviation);
  }
  content_ = std::move(content);
}

std::unique_ptr<BatchStream> MemoryDataSet::train(const TrainStreamOptions& options) const {
  const int64_t batches = batches_per_epoch(size(Split::kTrain), options.batch_size);
  auto order = std::make_shared<EpochOrder>(content_->train, options.seed);
  const auto load = [content = content_, order, options, batches](int64_t index) {
    const int64_t epoch = index / batches;
    const int64_t first = index % batches * options.batch_size;
    const auto images = order->of(epoch);
    return content->make_batch(
        Split::kTrain, images->data() + first, options.batch_size, [&](int64_t image) {
          return options.augment ? content->draw_placement(options.seed, epoch, image)
                                 : Placement{};
        });
  };
  return std::make_unique<PrefetchStream>(
      load, PrefetchOptions{.first = options.first_step,
                            .end = std::numeric_limits<int64_t>::max(),
                            .threads = content_->options.threads,
                            .pinned = options.transport.pinned});
}

std::unique_ptr<BatchStream> MemoryDataSet::once(Split split, int64_t batch_size, int64_t limit,
                                                 Transport transport) const {
  const int64_t images = limit > 0 ? std::min(limit, size(split)) : size(split);
  const auto load = [content = content_, split, batch_size, images](int64_t index) {
    const int64_t first = index * batch_size;
    return content->make_batch(split, content->indices(split).data() + first,
                               std::min(batch_size, images - first),
                               [](int64_t) { return Placement{}; });
  };
  return std::make_unique<PrefetchStream>(
      load, PrefetchOptions{.end = (images + batch_size - 1) / batch_size,
                            .threads = content_->options.threads,
                            .pinned = transport.pinned});
}

int64_t MemoryDataSet::size(Split split) const {
  return static_cast<int64_t>(content_->indices(split).size());
}

int64_t MemoryDataSet::classes() const { return content_->options.classes; }

std::vector<int64_t> MemoryDataSet::image_shape() const {
  const ImageArray& array = *content_->train_array;
  return {array.channels, array.height, array.width};
}

}  // namespace qbitopt
