#include "qbitopt/data/prefetch_stream.h"

#include <utility>

namespace qbitopt {

PrefetchStream::PrefetchStream(Load load, const PrefetchOptions& options)
    : load_(std::move(load)),
      options_(options),
      next_to_load_(options.first),
      next_to_hand_out_(options.first) {
  for (int i = 0; i < options.threads; ++i) threads_.emplace_back([this] { work(); });
}

PrefetchStream::~PrefetchStream() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  slot_freed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

Batch PrefetchStream::load(int64_t index) const {
  const Batch batch = load_(index);
  return options_.pinned ? qbitopt::pinned(batch) : batch;
}

void PrefetchStream::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    slot_freed_.wait(lock, [this] {
      return stop_ || next_to_load_ >= options_.end ||
             next_to_load_ < next_to_hand_out_ + options_.ahead;
    });
    if (stop_ || next_to_load_ >= options_.end) return;
    const int64_t index = next_to_load_++;
    lock.unlock();
    Slot slot;
    try {
      slot.batch = load(index);
    } catch (...) {
      slot.error = std::current_exception();
    }
    lock.lock();
    loaded_.emplace(index, std::move(slot));
    slot_filled_.notify_one();
  }
}

bool PrefetchStream::next(Batch& batch) {
  if (next_to_hand_out_ >= options_.end) return false;
  if (threads_.empty()) {
    batch = load(next_to_hand_out_++);
    return true;
  }
  std::unique_lock lock(mutex_);
  slot_filled_.wait(lock, [this] { return loaded_.count(next_to_hand_out_) != 0; });
  const auto slot = loaded_.extract(next_to_hand_out_++);
  lock.unlock();
  slot_freed_.notify_all();
  if (slot.mapped().error) std::rethrow_exception(slot.mapped().error);
  batch = slot.mapped().batch;
  return true;
}

}  // namespace qbitopt
