#include "qbitopt/data/imagenet.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <mutex>
#include <numeric>
#include <optional>
#include <string>
#include <utility>

#include "qbitopt/core/error.h"
#include "qbitopt/core/random.h"
#include "qbitopt/data/epoch_order.h"
#include "qbitopt/data/image_bytes.h"
#include "qbitopt/data/image_crops.h"
#include "qbitopt/data/image_file.h"
#include "qbitopt/data/prefetch_stream.h"
#include "qbitopt/data/resize.h"

namespace qbitopt {
namespace {

constexpr int64_t kChannels = 3;
// A number of files in a row that cannot be read is no damage any more but a missing disk.
constexpr int kMostReplacements = 100;

// One view of the files: which are training, which are held out, how they become tensors.
struct Content {
  std::shared_ptr<const ImageNetFiles> files;
  std::vector<int64_t> train, validation;  // indices into files->train
  std::vector<int64_t> test;               // into files->validation
  int size = 224;
  int resize = 256;
  double min_scale = 0.08;
  Normalization normalization = kImageNetNormalization;
  int threads = 1;

  mutable std::mutex mutex;
  mutable std::map<std::string, std::string> damaged;

  const std::vector<LabeledFile>& list(Split split) const {
    return split == Split::kTest ? files->validation : files->train;
  }
  const std::vector<int64_t>& indices(Split split) const {
    return split == Split::kTrain ? train : split == Split::kValidation ? validation : test;
  }
  int64_t values_per_image() const { return kChannels * size * size; }

  // False, and noted, if the file is no image. The image becomes the batch's `place`-th.
  bool load(const LabeledFile& file, const ChooseCrop& choose, bool mirrored, Batch& batch,
            int64_t place) const {
    thread_local DecodedCrop decoded;
    try {
      decode_crop(read_image(files->root, file), choose, size, decoded);
    } catch (const BadImage& error) {
      const std::lock_guard lock(mutex);
      damaged.emplace(file.path, error.what());
      return false;
    }
    const int64_t first = place * values_per_image();
    if (batch.scale.defined()) {
      resize_crop(decoded, size, mirrored, batch.images.data_ptr<uint8_t>() + first);
    } else {
      resize_crop(decoded, size, mirrored, normalization, batch.images.data_ptr<float>() + first);
    }
    return true;
  }

  // Loads the image, or if it cannot be read another of the training part, drawn at random; returns
  // its label.
  int64_t load_training_image(int64_t index, const TrainStreamOptions& options, int64_t epoch,
                              Batch& batch, int64_t place) const {
    Random random(options.seed, "augmentation", static_cast<uint64_t>(epoch),
                  static_cast<uint64_t>(index));
    const bool mirrored = options.augment && random.below(2) == 1;
    const auto choose = [&](const ImageSize& image) {
      return options.augment ? random_resized_crop(image, min_scale, random)
                             : center_crop(image, resize, size);
    };
    Random replacement(options.seed, "replacement", static_cast<uint64_t>(epoch),
                       static_cast<uint64_t>(index));
    for (int i = 0; i < kMostReplacements; ++i) {
      const LabeledFile& file = files->train[static_cast<size_t>(index)];
      if (load(file, choose, mirrored, batch, place)) return file.label;
      index = train[replacement.below(train.size())];
    }
    throw InputError(files->root.string() + ": " + std::to_string(kMostReplacements) +
                     " training images one after another cannot be read, the last of them " +
                     files->train[static_cast<size_t>(index)].path);
  }

  Batch empty_batch(int64_t count, bool as_bytes) const {
    Batch batch{
        torch::empty({count, kChannels, size, size}, as_bytes ? torch::kUInt8 : torch::kFloat32,
                     torch::MemoryFormat::ChannelsLast),
        torch::empty({count}, torch::kInt64)};
    if (!as_bytes) return batch;
    batch.scale = torch::empty({1, kChannels, 1, 1});
    batch.shift = torch::empty_like(batch.scale);
    for (size_t c = 0; c < kChannels; ++c) {
      batch.scale.data_ptr<float>()[c] = normalization.scale(c);
      batch.shift.data_ptr<float>()[c] = normalization.shift(c);
    }
    return batch;
  }

  Batch train_batch(const int64_t* images, const TrainStreamOptions& options, int64_t epoch) const {
    Batch batch = empty_batch(options.batch_size, options.transport.as_bytes);
    for (int64_t i = 0; i < options.batch_size; ++i) {
      batch.labels.data_ptr<int64_t>()[i] =
          load_training_image(images[i], options, epoch, batch, i);
    }
    return batch;
  }

  Batch evaluation_batch(Split split, int64_t first, int64_t count, bool as_bytes) const {
    Batch batch = empty_batch(count, as_bytes);
    int64_t good = 0;
    for (int64_t i = 0; i < count; ++i) {
      const LabeledFile& file =
          list(split)[static_cast<size_t>(indices(split)[static_cast<size_t>(first + i)])];
      const auto choose = [&](const ImageSize& image) { return center_crop(image, resize, size); };
      if (!load(file, choose, false, batch, good)) continue;
      batch.labels.data_ptr<int64_t>()[good++] = file.label;
    }
    batch.images = batch.images.slice(0, 0, good);
    batch.labels = batch.labels.slice(0, 0, good);
    return batch;
  }
};

class ImageNet : public DataSet {
 public:
  explicit ImageNet(std::shared_ptr<const Content> content) : content_(std::move(content)) {}

  std::unique_ptr<BatchStream> train(const TrainStreamOptions& options) const override {
    const int64_t batches = batches_per_epoch(size(Split::kTrain), options.batch_size);
    auto order = std::make_shared<EpochOrder>(content_->train, options.seed);
    const auto load = [content = content_, order, options, batches](int64_t index) {
      const int64_t epoch = index / batches;
      const int64_t first = index % batches * options.batch_size;
      const auto images = order->of(epoch);
      return content->train_batch(images->data() + first, options, epoch);
    };
    return stream(load, options.first_step, std::numeric_limits<int64_t>::max(),
                  options.transport.pinned);
  }

  std::unique_ptr<BatchStream> once(Split split, int64_t batch_size, int64_t limit,
                                    Transport transport) const override {
    const int64_t images = limit > 0 ? std::min(limit, size(split)) : size(split);
    const auto load = [content = content_, split, batch_size, images,
                       as_bytes = transport.as_bytes](int64_t index) {
      const int64_t first = index * batch_size;
      return content->evaluation_batch(split, first, std::min(batch_size, images - first),
                                       as_bytes);
    };
    return stream(load, 0, (images + batch_size - 1) / batch_size, transport.pinned);
  }

  int64_t size(Split split) const override {
    return static_cast<int64_t>(content_->indices(split).size());
  }
  int64_t classes() const override { return content_->files->classes; }
  std::vector<int64_t> image_shape() const override {
    return {kChannels, content_->size, content_->size};
  }
  std::string remark() const override {
    const ImageNetFiles& files = *content_->files;
    std::string text;
    if (files.classes == static_cast<int64_t>(imagenet_classes().size()) &&
        (files.train.size() != kPublishedTrainImages ||
         files.validation.size() != kPublishedValidationImages)) {
      text =
          fmt::format("{} holds {} of ImageNet's {} training and {} of its {} validation images; ",
                      files.root.string(), files.train.size(), kPublishedTrainImages,
                      files.validation.size(), kPublishedValidationImages);
    }
    for (const LeftOut& what : files.left_out) text += "left out: " + text_of(what) + "; ";
    return text.empty() ? "" : text + "`qbitopt doctor --data` says more";
  }
  std::map<std::string, std::string> damaged() const override {
    const std::lock_guard lock(content_->mutex);
    return content_->damaged;
  }

 private:
  std::unique_ptr<BatchStream> stream(PrefetchStream::Load load, int64_t first, int64_t end,
                                      bool pinned) const {
    const int threads = content_->threads;
    return std::make_unique<PrefetchStream>(std::move(load),
                                            PrefetchOptions{.first = first,
                                                            .end = end,
                                                            .threads = threads,
                                                            .ahead = std::max(4, threads + 1),
                                                            .pinned = pinned});
  }

  std::shared_ptr<const Content> content_;  // shared with the streams, which may outlive this
};

}  // namespace

std::unique_ptr<DataSet> make_imagenet(std::shared_ptr<const ImageNetFiles> files,
                                       const Parameters& parameters) {
  auto content = std::make_shared<Content>();
  content->size = parameters.get<int>("image_size");
  content->resize = test_resize(parameters, content->size);
  content->normalization = normalization_of(parameters);
  content->min_scale = parameters.get<double>("min_scale");
  content->threads = parameters.get<int>("threads");
  if (content->resize < content->size) {
    throw InputError("data.resize is " + std::to_string(parameters.get<int64_t>("resize")) +
                     "; expected at least 224, as the crop is cut out of the resized image");
  }
  const auto total = static_cast<int64_t>(files->train.size());
  const int64_t held_out =
      std::min(parameters.get<int64_t>("validation_images"), std::max<int64_t>(1, total / 10));
  const auto order = Random(0, "validation images of imagenet").permutation(total);
  content->validation.assign(order.begin(), order.begin() + held_out);
  content->train.assign(order.begin() + held_out, order.end());
  content->test.resize(files->validation.size());
  std::iota(content->test.begin(), content->test.end(), int64_t{0});
  content->files = std::move(files);
  return std::make_unique<ImageNet>(std::move(content));
}

int test_resize(const Parameters& parameters, int size) {
  return static_cast<int>(parameters.get_or<int64_t>("resize", 224) * size / 224);
}

Normalization normalization_of(const Parameters& parameters) {
  const auto read = [&](const char* name, const std::array<float, 3>& usual) {
    const auto given = parameters.get_or(name, std::vector<float>(usual.begin(), usual.end()));
    if (given.size() != usual.size()) {
      throw InputError("data." + std::string(name) + " has " + std::to_string(given.size()) +
                       " numbers; expected 3, for red, green and blue");
    }
    return std::array<float, 3>{given[0], given[1], given[2]};
  };
  return {read("pixel_mean", kImageNetNormalization.mean),
          read("pixel_deviation", kImageNetNormalization.deviation)};
}

}  // namespace qbitopt
