// A database of 3,000 jobs with 1,000,000 points of curves: how long each view takes, how large the
// file is, how fast events come in. Views of one row a job, configuration or sweep are read whole;
// those of points (curves, bits, bits_history, sensitivities, allocations, parameters) as they are
// asked for, by run, and whole for comparison.
#include <fmt/format.h>
#include <unistd.h>

#include <stdexcept>

#include "benchmarks/report.h"
#include "qbitopt/core/hash.h"
#include "qbitopt/core/random.h"
#include "qbitopt/report/table.h"
#include "qbitopt/runlog/database.h"

namespace qbitopt {
namespace {

namespace fs = std::filesystem;

constexpr int kConfigurations = 600;
constexpr int kSeeds = 5;
constexpr int kPointsPerJob = 334;  // 3,000 jobs: 1,002,000
constexpr int kQuantizers = 46;     // mobilenet_v2_tiny
constexpr int kReallocations = 9;   // the quick sweep's
constexpr int kRounds = 7;

Job make_job(int configuration, int seed) {
  const char* methods[] = {"qbitopt", "static_allocation", "fixed_precision", "random_allocation"};
  Job job;
  job.parameters = {{"method", methods[configuration % 4]},
                    {"model", configuration % 3 == 0 ? "resnet20" : "mobilenet_v2_tiny"},
                    {"data.name", "fashion_mnist"},
                    {"budget.average_bits", 2 + configuration % 9 * 0.5},
                    {"training.learning_rate", 0.001 * (configuration / 36 + 1)},
                    {"training.steps", 400},
                    {"training.batch_size", 64},
                    {"reallocation.tau", 40},
                    {"solver", "relax_greedy"},
                    {"sensitivity", "fit"}};
  job.config_key = sha256(canonical_json(job.parameters));
  job.parameters["seed"] = seed;
  job.key = sha256(canonical_json(job.parameters));
  job.versions = {{"method:qbitopt", 1}};
  return job;
}

std::vector<Event> events_of(const Job& job) {
  Random random(std::stoull(job.key.substr(0, 15), nullptr, 16), "benchmark");
  std::vector<EventBody> bodies;
  bodies.push_back(Started{"host", 7, "cpu", 1, {{"cpu", "a processor"}, {"commit", "abc"}}, 0});
  Inventory inventory;
  std::vector<double> values(kQuantizers);
  std::vector<int> bits(kQuantizers);
  for (int q = 0; q < kQuantizers; ++q) {
    inventory.quantizers.push_back(
        {fmt::format("features.{}.conv.{}", q / 2, q % 2 ? "input" : "weight"),
         q % 2 ? "activation" : "weight",
         1000 + q,
         10000,
         q > 1,
         {}});
    bits[q] = 2 + static_cast<int>(random.below(7));
    values[q] = random.uniform();
  }
  bodies.push_back(inventory);
  const std::vector<BudgetState> budgets = {{"weight", 3, 2.99}, {"activation", 3, 2.98}};
  const bool moves = job.parameters["method"] == "qbitopt";
  for (int step = 0; step < (moves ? kReallocations + 1 : 1); ++step) {
    for (double& value : values) value = random.uniform();
    bits[random.below(kQuantizers)] = 4;
    bodies.push_back(Reallocation{.step = 40 * step,
                                  .solver = "relax_greedy",
                                  .status = "feasible",
                                  .objective = 0.5,
                                  .bound = 0.49,
                                  .gap = 0.02,
                                  .solve_microseconds = 50,
                                  .budgets = budgets,
                                  .bits = bits,
                                  .sensitivities = values,
                                  .ranges = values});
  }
  for (int point = 1; point <= kPointsPerJob; ++point)
    bodies.push_back(Metrics{point, "train", {{"loss", random.uniform()}}});
  Finished finished;
  finished.steps = 400;
  finished.results = {{"top1", 85 + random.uniform()},
                      {"loss", 0.4},
                      {"validation_top1", 85.0},
                      {"validation_loss", 0.4},
                      {"top1_batch_mode", 85.0}};
  finished.bits = bits;
  finished.budgets = budgets;
  finished.all_tensor_bits = {{"weight", 3.1}, {"activation", 3.4}};
  finished.weight_bytes = 24000;
  finished.seconds = 40;
  finished.train_seconds = 35;
  finished.peak_memory_bytes = 1 << 29;
  bodies.push_back(finished);
  std::vector<Event> events;
  for (EventBody& body : bodies)
    events.push_back({static_cast<int64_t>(events.size()) + 1, 1.8e9, std::move(body)});
  return events;
}

size_t fill(const fs::path& file, const std::vector<Job>& jobs) {
  Plan plan;
  plan.sweep_name = "large";
  plan.file = "large.yaml";
  for (const Job& job : jobs) plan.jobs.push_back(planned_job(job));
  Database database(file);
  database.record_sweep(plan);
  size_t count = 0;
  for (const Job& job : jobs) {
    const Attempt attempt{
        .job = job, .number = 1, .folder = (file.parent_path() / job.key).string()};
    database.begin(attempt);
    const std::vector<Event> events = events_of(job);
    count += events.size();
    database.ingest(attempt, events);
    database.end(attempt, {});
  }
  database.close();
  return count;
}

// Rows of curves, as a driver that is far behind its workers stores them: durably, a spool's next
// events at a time.
double rows_per_second(const fs::path& file) {
  constexpr int kBatches = 500, kEvents = 2000;
  const Job job = make_job(0, 0);
  Plan plan;
  plan.sweep_name = "one";
  plan.jobs.push_back(planned_job(job));
  Database database(file);
  database.record_sweep(plan);
  const Attempt attempt{.job = job, .number = 1, .folder = (file.parent_path() / "one").string()};
  database.begin(attempt);
  std::vector<Event> events(kEvents);
  double seconds = 0;
  for (int64_t batch = 0; batch < kBatches; ++batch) {
    for (int64_t i = 0; i < kEvents; ++i) {
      const int64_t step = batch * kEvents + i + 1;
      events[i] = {step, 1.8e9,
                   Metrics{step, "train", {{"loss", 1.0 / static_cast<double>(step)}}}};
    }
    seconds += bench::seconds([&] { database.ingest(attempt, events); });
  }
  seconds += bench::seconds([&] { database.close(); });
  return kBatches * kEvents / seconds;
}

void measure() {
  std::string name = (fs::temp_directory_path() / "qbitopt_benchmark_XXXXXX").string();
  const fs::path folder = ::mkdtemp(name.data());
  const fs::path file = folder / "large.db";
  std::vector<Job> jobs;
  for (int c = 0; c < kConfigurations; ++c) {
    for (int seed = 0; seed < kSeeds; ++seed) jobs.push_back(make_job(c, seed));
  }
  bench::Report report("runlog");
  size_t events = 0;
  const double fill_seconds = bench::seconds([&] { events = fill(file, jobs); });
  const std::string case_ =
      fmt::format("{} jobs, {} points", jobs.size(), jobs.size() * kPointsPerJob);
  report.add(
      {"ingest", case_, static_cast<double>(events) / fill_seconds, "events/s", "", {}, 1, 0});
  report.add({"rows of curves",
              "1 job, 1,000,000 points",
              rows_per_second(folder / "one.db"),
              "rows/s",
              "",
              {},
              1,
              0});
  report.add({"file size", case_, static_cast<double>(fs::file_size(file)) / 1e6, "MB", "60 MB",
              static_cast<double>(fs::file_size(file)) / 60e6, 1, 0});

  const Reader reader(file);
  std::vector<std::pair<std::string, std::string>> questions;
  for (const char* view : {"runs", "results", "progress", "failures", "pareto", "published"})
    questions.emplace_back(view, fmt::format("SELECT * FROM {}", view));
  for (const char* view :
       {"curves", "bits", "bits_history", "sensitivities", "allocations", "parameters"})
    questions.emplace_back(fmt::format("{}, one run", view),
                           fmt::format("SELECT * FROM {} WHERE key = '{}'", view, jobs[0].key));
  for (const char* view :
       {"curves", "bits", "bits_history", "sensitivities", "allocations", "parameters"})
    questions.emplace_back(fmt::format("{}, whole", view),
                           fmt::format("SELECT count(*) FROM {}", view));
  std::vector<std::function<void()>> works;
  for (const auto& [label, sql] : questions) {
    works.emplace_back([&reader, sql = sql] {
      reader.for_each(
          sql, [](const auto&) {}, [](const auto&) {});
    });
  }
  const TableDefinition definition = parse_table_definition(
      "large.yaml",
      "sweep: large\n"
      "split_by: [budget.average_bits, training.learning_rate, model]\n"
      "rows: {fixed: {where: {method: fixed_precision}}, q: {where: {method: qbitopt}}}\n");
  if (build_table(reader, definition).jobs.empty()) {
    throw std::logic_error("the table that is timed has no runs");
  }
  questions.emplace_back("table of two methods", "");
  works.emplace_back([&] { build_table(reader, definition); });
  const auto times = bench::interleave(works, kRounds);
  for (size_t i = 0; i < works.size(); ++i) {
    const bench::Summary summary = bench::summarize(times[i]);
    report.add({questions[i].first, case_, summary.median * 1e3, "ms", "300 ms",
                summary.median / 0.3, kRounds, summary.spread * 1e3});
  }
  report.finish();
  fs::remove_all(folder);
}

}  // namespace
}  // namespace qbitopt

int main() { qbitopt::measure(); }
