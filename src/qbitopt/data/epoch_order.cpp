#include "qbitopt/data/epoch_order.h"

#include <string>
#include <utility>

#include "qbitopt/core/error.h"
#include "qbitopt/core/random.h"

namespace qbitopt {

int64_t batches_per_epoch(int64_t images, int64_t batch_size) {
  if (batch_size <= images) return images / batch_size;
  throw InputError("a batch of " + std::to_string(batch_size) + " images is more than the " +
                   std::to_string(images) +
                   " training images there are; make the batch (training., pretraining. or "
                   "calibration.batch_size) smaller");
}

std::shared_ptr<const std::vector<int64_t>> EpochOrder::of(int64_t epoch) {
  const std::lock_guard lock(mutex_);
  if (epoch != epoch_) {
    auto order = Random(seed_, "order of the training images", static_cast<uint64_t>(epoch))
                     .permutation(static_cast<int64_t>(images_.size()));
    for (int64_t& position : order) position = images_[static_cast<size_t>(position)];
    order_ = std::make_shared<const std::vector<int64_t>>(std::move(order));
    epoch_ = epoch;
  }
  return order_;
}

}  // namespace qbitopt
