#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace qbitopt {

// Whole batches in an epoch. Throws InputError if there is none.
int64_t batches_per_epoch(int64_t images, int64_t batch_size);

// The order of the training images in each epoch: a permutation that depends on (seed, epoch)
// alone. The latest is kept, as all batches of an epoch need it. May be called from any thread.
class EpochOrder {
 public:
  EpochOrder(std::vector<int64_t> images, uint64_t seed)
      : images_(std::move(images)), seed_(seed) {}

  std::shared_ptr<const std::vector<int64_t>> of(int64_t epoch);

 private:
  const std::vector<int64_t> images_;
  const uint64_t seed_;
  std::mutex mutex_;
  int64_t epoch_ = -1;
  std::shared_ptr<const std::vector<int64_t>> order_;
};

}  // namespace qbitopt
