#pragma once

#include <string>

#include "benchmarks/sensitivity/subject.h"
#include "qbitopt/data/batch_source.h"

namespace qbitopt::bench {

constexpr const char* kFashionMnist = "/usr/share/datasets/fashion-mnist";

// `count` batches of Fashion-MNIST, not augmented, in the order of the files: those of `split` after
// the first `skipped` batches. 5000 training images are held out as kValidation.
inline Batches fashion_mnist(const std::string& root, Split split, int64_t batch_size,
                             int64_t count, int64_t skipped = 0) {
  DataSetRegistry registry("data set");
  register_data_sets(registry);
  const auto data = registry.make(
      "fashion_mnist",
      Parameters(
          Json{{"root", root}, {"validation_images", 5000}, {"augment", false}, {"threads", 1}}));
  const auto stream = data->once(split, batch_size, (skipped + count) * batch_size);
  Batches batches;
  for (Batch batch; stream->next(batch);) batches.emplace_back(batch.images, batch.labels);
  batches.erase(batches.begin(), batches.begin() + skipped);
  return batches;
}

}  // namespace qbitopt::bench
