#pragma once

#include <filesystem>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "qbitopt/core/file_lock.h"
#include "qbitopt/schedule/executors/executor.h"
#include "qbitopt/schedule/executors/worker_process.h"

namespace qbitopt {

struct LocalExecutorOptions {
  std::filesystem::path worker;  // the program
  // A lock held by this driver and inherited by its workers. If the driver dies, the lock keeps a
  // new driver waiting until the last of the workers has ended.
  std::filesystem::path lock_file;
  // Cores to use: a job with two threads takes two of them. 0: all cores.
  int cores = 0;
  // If not 0: number of jobs at a time, whatever threads they have.
  int jobs = 0;
  // Each worker runs on cores of its own, as many as it has threads, as far as there are enough.
  bool pins_workers = false;
  // GPUs to use. Each worker gets one, that with the fewest workers. Empty: a worker sees the GPUs
  // that this process sees.
  std::vector<std::string> gpus;
  // How long a worker may take to stop after StopLevel::kTerminate, or to exit after its last job.
  std::chrono::milliseconds grace{10'000};
};

// Runs workers as child processes of the driver. A worker executes many attempts with the same
// number of threads, because loading LibTorch takes longer than a small job.
class LocalExecutor : public Executor {
 public:
  // Throws InputError if there is no such worker program.
  explicit LocalExecutor(LocalExecutorOptions options);
  // Lets idle workers exit and kills the others.
  ~LocalExecutor() override;

  std::string description() const override;
  std::string obstacle() const override;
  double share(int threads) const override;
  bool has_room(int threads) const override;
  bool is_busy() const override;
  void submit(const Attempt& attempt, int threads) override;
  void reattach(const Attempt& attempt) override;
  int process_of(const std::string& key) const override;
  void cancel(const std::string& key, StopLevel level) override;
  std::vector<Outcome> poll(std::chrono::milliseconds patience) override;

  // A worker of an earlier driver; nothing is started until all of them are gone.
  struct Orphan {
    int pid = 0;
    std::string key;  // of the job that it is working on; empty: not known
    bool is_stopped = false;
  };
  // Workers of earlier drivers that are visible on this machine.
  std::vector<Orphan> orphans() const;
  int worker_count() const { return static_cast<int>(workers_.size()); }

 private:
  using Clock = std::chrono::steady_clock;
  struct Worker {
    std::unique_ptr<WorkerProcess> process;
    int threads = 1;
    std::string gpu;
    std::vector<int> cores;          // that it is pinned to; empty: to none
    std::optional<Attempt> attempt;  // none: idle
    std::string reported;            // outcome of the attempt, while the worker is about to exit
    bool has_finished_one = false;
    bool is_leaving = false;
    std::optional<Clock::time_point> kill_at;
  };

  int cost(int threads) const;
  int capacity() const;
  std::list<Worker>::iterator spawn(int threads);
  std::string idlest_gpu() const;
  std::vector<int> unused_cores(int threads) const;
  void leave(Worker& worker);
  void hear(Worker& worker, std::vector<Outcome>& outcomes);
  // True if the worker has exited and can be removed.
  bool bury(Worker& worker, std::vector<Outcome>& outcomes);
  void check_orphans(std::vector<Outcome>& outcomes);
  void wait_for_news(std::chrono::milliseconds patience);

  LocalExecutorOptions options_;
  std::optional<FileLock> lock_;
  std::list<Worker> workers_;
  std::vector<Attempt> reattached_;
};

}  // namespace qbitopt
