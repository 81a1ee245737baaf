#include "qbitopt/data/tensors.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "qbitopt/core/error.h"
#include "qbitopt/core/mapped_file.h"
#include "qbitopt/core/random.h"
#include "qbitopt/data/epoch_order.h"
#include "qbitopt/data/prefetch_stream.h"
#include "qbitopt/weights/labeled_tensors.h"

namespace qbitopt {
namespace {

// Samples of an array, in this order.
struct Selection {
  std::shared_ptr<const SampleArray> array;
  std::vector<int64_t> indices;
};

Selection all_of(std::shared_ptr<const SampleArray> array) {
  std::vector<int64_t> indices(static_cast<size_t>(array->size()));
  std::iota(indices.begin(), indices.end(), int64_t{0});
  return {std::move(array), std::move(indices)};
}

struct TensorContent {
  Selection train, validation, test;
  std::vector<int64_t> shape;
  int64_t classes;
  float mean, deviation;
  int threads;

  const Selection& of(Split split) const {
    return split == Split::kTrain ? train : split == Split::kValidation ? validation : test;
  }

  Batch batch(const SampleArray& array, const int64_t* indices, int64_t count) const {
    std::vector<int64_t> sizes = {count};
    sizes.insert(sizes.end(), shape.begin(), shape.end());
    Batch batch;
    batch.images = torch::empty(sizes);
    batch.labels = torch::empty({count}, torch::kInt64);
    const int64_t features = count > 0 ? batch.images.numel() / count : 0;
    float* target = batch.images.data_ptr<float>();
    for (int64_t i = 0; i < count; ++i) {
      const float* source = array.features.data() + indices[i] * features;
      for (int64_t j = 0; j < features; ++j) *target++ = (source[j] - mean) / deviation;
      batch.labels.data_ptr<int64_t>()[i] = array.labels[static_cast<size_t>(indices[i])];
    }
    return batch;
  }
};

class TensorDataSet : public DataSet {
 public:
  explicit TensorDataSet(TensorContent content)
      : content_(std::make_shared<const TensorContent>(std::move(content))) {}

  std::unique_ptr<BatchStream> train(const TrainStreamOptions& options) const override {
    const int64_t batches = batches_per_epoch(size(Split::kTrain), options.batch_size);
    auto order = std::make_shared<EpochOrder>(content_->train.indices, options.seed);
    const auto load = [content = content_, order, options, batches](int64_t index) {
      const auto samples = order->of(index / batches);
      return content->batch(*content->train.array,
                            samples->data() + index % batches * options.batch_size,
                            options.batch_size);
    };
    return std::make_unique<PrefetchStream>(
        load, PrefetchOptions{.first = options.first_step,
                              .end = std::numeric_limits<int64_t>::max(),
                              .threads = content_->threads,
                              .pinned = options.transport.pinned});
  }

  std::unique_ptr<BatchStream> once(Split split, int64_t batch_size, int64_t limit,
                                    Transport transport) const override {
    const int64_t samples = limit > 0 ? std::min(limit, size(split)) : size(split);
    const auto load = [content = content_, split, batch_size, samples](int64_t index) {
      const Selection& selection = content->of(split);
      const int64_t first = index * batch_size;
      return content->batch(*selection.array, selection.indices.data() + first,
                            std::min(batch_size, samples - first));
    };
    return std::make_unique<PrefetchStream>(
        load, PrefetchOptions{.end = (samples + batch_size - 1) / batch_size,
                              .threads = content_->threads,
                              .pinned = transport.pinned});
  }

  int64_t size(Split split) const override {
    return static_cast<int64_t>(content_->of(split).indices.size());
  }
  int64_t classes() const override { return content_->classes; }
  std::vector<int64_t> image_shape() const override { return content_->shape; }

 private:
  std::shared_ptr<const TensorContent> content_;  // shared with the streams
};

template <typename Use>
auto with_file(const std::string& file, Use use) {
  const MappedFile mapped(file);
  try {
    return use(mapped.bytes());
  } catch (const BadWeights& error) {
    throw InputError(file + " " + error.what());
  }
}

}  // namespace

TensorSamples read_tensors(const std::string& file) {
  return with_file(file, [](std::string_view bytes) {
    const TensorData data = index_tensor_data(bytes);
    const auto read = [&](const LabeledTensors& part) {
      return std::make_shared<const SampleArray>(
          SampleArray{read_features(bytes, part), part.labels});
    };
    return TensorSamples{.train = read(data.train),
                         .test = read(data.test),
                         .validation = data.validation ? read(*data.validation) : nullptr,
                         .shape = data.shape(),
                         .classes = data.classes};
  });
}

std::vector<int64_t> tensor_shape(const std::string& file) {
  return with_file(file, [](std::string_view bytes) { return index_tensor_data(bytes).shape(); });
}

std::unique_ptr<DataSet> make_tensors(const TensorSamples& samples, const Parameters& parameters) {
  TensorContent content{.train = all_of(samples.train),
                        .validation = {},
                        .test = all_of(samples.test),
                        .shape = samples.shape,
                        .classes = samples.classes,
                        .mean = parameters.get<float>("mean"),
                        .deviation = parameters.get<float>("deviation"),
                        .threads = parameters.get<int>("threads")};
  if (samples.validation) {
    content.validation = all_of(samples.validation);
    return std::make_unique<TensorDataSet>(std::move(content));
  }
  const int64_t total = samples.train->size();
  const int64_t wanted = parameters.get<int64_t>("validation_samples");
  const int64_t held_out = wanted > 0 ? wanted : std::max<int64_t>(1, total / 10);
  if (held_out >= total) {
    throw InputError("data.validation_samples is " + std::to_string(held_out) +
                     ", but x_train has " + std::to_string(total) +
                     " samples, of which validation samples are a part; give fewer, or add "
                     "x_validation and y_validation to the file");
  }
  const auto order = Random(0, "validation samples of tensors").permutation(total);
  content.train.indices.assign(order.begin() + held_out, order.end());
  content.validation = {samples.train, {order.begin(), order.begin() + held_out}};
  return std::make_unique<TensorDataSet>(std::move(content));
}

}  // namespace qbitopt
