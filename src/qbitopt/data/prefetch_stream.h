#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "qbitopt/data/batch_source.h"

namespace qbitopt {

struct PrefetchOptions {
  int64_t first = 0;    // index of the first batch
  int64_t end = 0;      // one beyond the last; INT64_MAX: endless
  int threads = 1;      // loader threads; 0: next() loads by itself
  int ahead = 4;        // most batches that are loaded or being loaded before they are asked for
  bool pinned = false;  // handed out in page-locked memory
};

// Loads batches ahead on threads of its own and hands them out in order, so that neither speed nor
// number of threads shows in what comes out.
class PrefetchStream : public BatchStream {
 public:
  // The batch of one index. Called from any thread, for several indices at once, in any order. What
  // it throws, next() throws when it comes to that batch.
  using Load = std::function<Batch(int64_t index)>;

  PrefetchStream(Load load, const PrefetchOptions& options);
  ~PrefetchStream() override;

  bool next(Batch& batch) override;

 private:
  struct Slot {
    Batch batch;
    std::exception_ptr error;
  };
  Batch load(int64_t index) const;
  void work();

  const Load load_;
  const PrefetchOptions options_;
  std::mutex mutex_;
  std::condition_variable slot_filled_;
  std::condition_variable slot_freed_;
  int64_t next_to_load_;
  int64_t next_to_hand_out_;
  std::map<int64_t, Slot> loaded_;
  bool stop_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace qbitopt
