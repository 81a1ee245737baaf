#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "qbitopt/data/batch_source.h"

namespace qbitopt {

// Images that fit into memory, as bytes.
struct ImageArray {
  int64_t height = 0;
  int64_t width = 0;
  int64_t channels = 1;
  std::vector<uint8_t> pixels;  // [images, height, width, channels]
  std::vector<uint8_t> labels;  // [images]

  int64_t size() const { return static_cast<int64_t>(labels.size()); }
  int64_t bytes_per_image() const { return height * width * channels; }
};

struct MemoryDataSetOptions {
  int64_t classes = 10;
  // Normalized value = (byte / 255 - mean) / deviation.
  double mean = 0.5;
  double deviation = 0.5;
  // Augmentation of training images: moved by up to this many pixels each way (what comes in is
  // black), and mirrored left to right every other time.
  int max_shift = 0;
  bool flip = false;
  int threads = 1;  // loader threads of each stream
};

// A data set in memory. The held-out validation images are a part of the training array.
class MemoryDataSet : public DataSet {
 public:
  // `train`, `validation`: indices into `train_array`. Validation and test images are read in the
  // order given.
  MemoryDataSet(std::shared_ptr<const ImageArray> train_array,
                std::shared_ptr<const ImageArray> test_array, std::vector<int64_t> train,
                std::vector<int64_t> validation, const MemoryDataSetOptions& options);

  // Throws InputError if a batch is larger than the training set.
  std::unique_ptr<BatchStream> train(const TrainStreamOptions& options) const override;
  std::unique_ptr<BatchStream> once(Split split, int64_t batch_size, int64_t limit = 0,
                                    Transport transport = {}) const override;
  int64_t size(Split split) const override;
  int64_t classes() const override;
  std::vector<int64_t> image_shape() const override;

 private:
  struct Content;
  std::shared_ptr<const Content> content_;  // shared with the streams, which may outlive this
};

}  // namespace qbitopt
