#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "qbitopt/runlog/database.h"

namespace qbitopt::testing {

// A folder that is gone after the test.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// A job whose key is the digits of `name`'s hash; its configuration is everything but the seed.
Job make_job(Json parameters);
Plan make_plan(const std::vector<Job>& jobs, const std::string& name = "quick");
Attempt make_attempt(const Job& job, int number, const std::filesystem::path& folder);

// A plain good run, as a worker tells it: two weights of 100 and 300 elements at `bits`, one
// activation of 50, an 8-bit pinned input that does not count.
struct GoodRun {
  double top1 = 80;
  double loss = 0.5;
  std::vector<int> bits = {2, 4, 3, 8};
  double limit = 4;
  double seconds = 10;
  bool budget_met = true;
  std::string commit = "abc1234";
  std::string cost_unit = "nats";
  double bops = 0;  // achieved under a budget of twice as many; 0: no such budget
  std::vector<double>
      costs;  // at 2 bits, of the four tensors, which are then all weights; empty: others
};
std::vector<Event> events_of(const GoodRun& run);

// Begins, ingests and ends attempt 1 at a job.
void store_run(Database& database, const Job& job, const GoodRun& run);

}  // namespace qbitopt::testing
