#include "runlog/fixture.h"

#include <unistd.h>

#include "qbitopt/core/hash.h"

namespace qbitopt::testing {

TemporaryFolder::TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "qbitopt_XXXXXX").string();
  path_ = ::mkdtemp(name.data());
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Job make_job(Json parameters) {
  Job job;
  parameters.emplace("model", "mobilenet_v2_tiny");
  parameters.emplace("data.name", "fashion_mnist");
  parameters.emplace("seed", 0);
  job.parameters = parameters;
  job.key = sha256(canonical_json(parameters));
  parameters.erase("seed");
  job.config_key = sha256(canonical_json(parameters));
  job.versions = {{"method:" + job.parameters.at("method").get<std::string>(), 1}};
  return job;
}

Plan make_plan(const std::vector<Job>& jobs, const std::string& name) {
  Plan plan;
  plan.sweep_name = name;
  plan.file = "sweeps/" + name + ".yaml";
  plan.text = "qbitopt: 1\nname: " + name + "\n";
  for (const Job& job : jobs) plan.jobs.push_back(planned_job(job));
  return plan;
}

Attempt make_attempt(const Job& job, int number, const std::filesystem::path& folder) {
  return {.job = job,
          .number = number,
          .folder =
              (folder / "qbitopt.runs" / job.key.substr(0, 10) / std::to_string(number)).string()};
}

std::vector<Event> events_of(const GoodRun& run) {
  const bool is_quantized = !run.bits.empty();
  std::vector<EventBody> bodies;
  bodies.push_back(Started{.host = "here",
                           .pid = 7,
                           .device = "cpu",
                           .environment = {{"commit", run.commit}, {"cpu", "a processor"}}});
  if (is_quantized) {
    Inventory inventory{{{"stem.weight", "weight", 100, 1000, true, std::nullopt, 100},
                         {"head.weight", "weight", 300, 300, true, std::nullopt, 300},
                         {"head.input", "activation", 50, 300, true, std::nullopt, 50},
                         {"stem.input", "activation", 784, 1000, false, 8, 784}}};
    Reallocation chosen{.step = 0,
                        .solver = "relax_greedy",
                        .status = "feasible",
                        .objective = 0.5,
                        .bound = 0.4,
                        .gap = 0.2,
                        .solve_microseconds = 12,
                        .budgets = {{"weight", run.limit, 3.5}, {"activation", run.limit, 3}},
                        .bits = run.bits,
                        .sensitivities = {1, 2, 3, 4},
                        .ranges = {0.5, 0.25, 6, 2},
                        .costs = {{{2, 9}, {4, 1}}, {{2, 8}, {4, 2}}, {{2, 7}, {4, 3}}, {{8, 4}}},
                        .cost_unit = run.cost_unit};
    for (size_t q = 0; q < run.costs.size(); ++q) {
      inventory.quantizers[q].kind = "weight";
      chosen.costs[q] = {{2, run.costs[q]}};
    }
    bodies.push_back(inventory);
    bodies.push_back(chosen);
  }
  bodies.push_back(Metrics{1, "train", {{"loss", 2.0}}});
  bodies.push_back(Metrics{2, "train", {{"loss", 1.0}}});
  bodies.push_back(Metrics{2, "validation", {{"top1", run.top1 + 1}}});
  bodies.push_back(Artifact{"model", "model", sha256("weights"), 7});
  Finished finished;
  finished.steps = 2;
  finished.results = {{"top1", run.top1},
                      {"loss", run.loss},
                      {"validation_top1", run.top1 + 1},
                      {"validation_loss", 0.4}};
  if (is_quantized) {
    const double weights = (100 * run.bits[0] + 300 * run.bits[1]) / 400.0;
    finished.results["validation_top1_batch_mode"] = run.top1 + 0.5;
    finished.bits = run.bits;
    finished.budgets = {{"weight", run.limit, weights},
                        {"activation", run.limit, double(run.bits[2])}};
    finished.all_tensor_bits = {{"weight", weights},
                                {"activation", (50 * run.bits[2] + 784 * run.bits[3]) / 834.0}};
    finished.weight_bytes = (100 * run.bits[0] + 300 * run.bits[1]) / 8;
    if (run.bops > 0) finished.budgets.push_back({"bops", 2 * run.bops, run.bops});
  }
  finished.budget_met = run.budget_met;
  finished.seconds = run.seconds;
  finished.train_seconds = run.seconds / 2;
  finished.reallocation_seconds = 0.1;
  finished.peak_memory_bytes = 1 << 20;
  bodies.push_back(finished);
  std::vector<Event> events;
  for (EventBody& body : bodies) {
    const int64_t number = static_cast<int64_t>(events.size()) + 1;
    events.push_back({number, 1'764'000'000.0 + number, std::move(body)});
  }
  return events;
}

void store_run(Database& database, const Job& job, const GoodRun& run) {
  const Attempt attempt = make_attempt(job, 1, "/nowhere");
  database.begin(attempt);
  database.ingest(attempt, events_of(run));
  database.end(attempt, {});
}

}  // namespace qbitopt::testing
