#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "qbitopt/core/parameters.h"
#include "qbitopt/core/registry.h"
#include "qbitopt/quant/torch.h"

namespace qbitopt {

struct Batch {
  // [batch, channels, height, width], channels-last: float32, normalized; of a stream that was
  // asked for bytes uint8, if the data set has them (see Transport). Of a data set of tensors
  // [batch, ...], as image_shape() says.
  torch::Tensor images;
  torch::Tensor labels;  // [batch], int64
  // [1, channels, 1, 1]: uint8 images times `scale` plus `shift` are normalized. Undefined where
  // images are float32.
  torch::Tensor scale = {}, shift = {};
};

// The same on a device, with images in float32, normalized: bytes travel as bytes.
Batch on_device(const Batch& batch, torch::Device device);

// The same in page-locked memory, out of which a copy to a GPU does not keep the caller waiting.
Batch pinned(const Batch& batch);

// How batches are handed out, whatever is in them.
struct Transport {
  bool as_bytes = false;  // images as uint8 if the data set has them, a quarter of the traffic
  bool pinned = false;    // see pinned()
};
// A GPU's batches come as bytes out of page-locked memory.
Transport transport_to(torch::Device device);

// Batches one after another; the end is an answer. Which images, in which order and with which
// augmentation depends on (seed, epoch, position) alone, never on threads or on what was read
// before.
class BatchStream {
 public:
  virtual ~BatchStream() = default;
  // False at the end; then `batch` is untouched.
  virtual bool next(Batch& batch) = 0;
};

enum class Split { kTrain, kValidation, kTest };

struct TrainStreamOptions {
  int64_t batch_size = 64;
  uint64_t seed = 0;
  int64_t first_step = 0;  // start as if this many batches had been read: exact resume
  bool augment = true;
  Transport transport = {};
};

// One data set, opened once. Endless training batches (an incomplete last batch of an epoch is
// dropped), and every image of a split once, in a fixed order, without augmentation.
class DataSet {
 public:
  virtual ~DataSet() = default;

  virtual std::unique_ptr<BatchStream> train(const TrainStreamOptions& options) const = 0;
  // `limit`: at most this many images; 0: all. The last batch may be short. kTrain without
  // augmentation is allowed.
  virtual std::unique_ptr<BatchStream> once(Split split, int64_t batch_size, int64_t limit = 0,
                                            Transport transport = {}) const = 0;

  virtual int64_t size(Split split) const = 0;
  virtual int64_t classes() const = 0;
  // {channels, height, width}; of a data set of tensors any shape.
  virtual std::vector<int64_t> image_shape() const = 0;

  // What the user should know of the files before training on them; empty: nothing.
  virtual std::string remark() const { return ""; }
  // Files that could not be read so far, each with the reason.
  virtual std::map<std::string, std::string> damaged() const { return {}; }
};

// `parameters`: those below "data" ("root", "validation_images", ...). Makers throw InputError for
// a missing or damaged file: which file, what was expected, how to get it.
using DataSetRegistry = Registry<DataSet, const Parameters&>;
// fashion_mnist, imagenet, synthetic, tensors.
void register_data_sets(DataSetRegistry& registry);

}  // namespace qbitopt
