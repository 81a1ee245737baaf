#include "report/small_database.h"

namespace qbitopt::testing {
namespace {

struct Configuration {
  std::string method;
  Json bits;
  std::vector<double> top1;  // by seed; 0: lost
};
const std::vector<Configuration> kConfigurations = {
    {"fp32", nullptr, {90}},
    {"fp32_continued", nullptr, {91, 92, 93}},
    {"fixed_precision", 4, {88, 89, 90}},
    {"fixed_precision", 3, {84, 85, 89}},
    {"static_allocation", 3, {85, 86, 87}},
    {"static_allocation", 2.5, {79, 82, 84}},
    {"qbitopt", 3, {85, 87, 89}},
    {"qbitopt", 2.5, {80, 82, 0}},
    {"fracbits", 3, {86, 87, 88}},
};

std::vector<int> final_bits(const Configuration& c, bool is_missed) {
  if (c.bits.is_null()) return {};
  if (is_missed) return {4, 4, 3, 8};
  if (c.bits == 4) return {2, 4, 3, 8};
  if (c.bits == 3) return {3, 3, 3, 8};
  return {4, 2, 2, 8};
}

std::vector<PublishedResult> published() {
  PublishedResult result{.model = "MobileNetV2_tiny", .method = "LSQ", .kind = "fixed"};
  result.weight_bits = result.activation_bits = "4";
  result.fp32_top1 = 72;
  result.top1 = 70;
  result.source_title = "A paper";
  result.source_url = "https://example.org/paper";
  PublishedResult pact = result;
  pact.method = "PACT";
  pact.weight_bits = pact.activation_bits = "3";
  pact.fp32_top1.reset();
  pact.top1 = 65;
  PublishedResult other = result;
  other.model = "ResNet18";
  other.method = "DoReFa";
  return {result, pact, other};
}

}  // namespace

Job SmallDatabase::job(const std::string& method, int seed, Json bits) {
  Json parameters = {{"method", method}, {"seed", seed}};
  if (!bits.is_null()) parameters["budget.average_bits"] = bits;
  if (method != "fp32") parameters["training.steps"] = 160;
  Job job = make_job(parameters);
  if (method != "fp32")
    job.needs["fp32_checkpoint"] = make_job({{"method", "fp32"}, {"seed", 0}}).key;
  job.guarantees_budget = method != "fracbits";
  return job;
}

SmallDatabase::SmallDatabase(const std::filesystem::path& file) : file_(file) {
  std::vector<Job> jobs;
  for (const Configuration& c : kConfigurations) {
    for (size_t seed = 0; seed < c.top1.size(); ++seed)
      jobs.push_back(job(c.method, static_cast<int>(seed), c.bits));
  }
  Database database(file);
  database.record_sweep(make_plan(jobs, "small"));
  database.record_published(published());
  size_t next = 0;
  for (const Configuration& c : kConfigurations) {
    for (const double top1 : c.top1) {
      const Job& job = jobs[next++];
      if (top1 == 0) {
        const Attempt attempt = make_attempt(job, 1, "/nowhere");
        database.begin(attempt);
        database.end(attempt, {.state = JobState::kFailed,
                               .signal = 9,
                               .error_class = "lost",
                               .text = "killed by signal 9"});
        continue;
      }
      const bool is_missed = c.method == "fracbits" && top1 == 88;
      GoodRun run{.top1 = top1, .bits = final_bits(c, is_missed), .budget_met = !is_missed};
      if (!c.bits.is_null()) run.limit = c.bits;
      store_run(database, job, run);
    }
  }
}

void SmallDatabase::add_longer_recipe() const {
  const Job checkpoint = make_job({{"method", "fp32"}, {"pretraining.epochs", 6}});
  std::vector<std::pair<Job, GoodRun>> runs = {{checkpoint, {.top1 = 91, .bits = {}}}};
  const auto add = [&](Json parameters, const std::vector<double>& top1, GoodRun run) {
    parameters["training.steps"] = 400;
    for (size_t seed = 0; seed < top1.size(); ++seed) {
      parameters["seed"] = seed;
      run.top1 = top1[seed];
      runs.emplace_back(make_job(parameters), run);
      runs.back().first.needs["fp32_checkpoint"] = checkpoint.key;
    }
  };
  const GoodRun quantized = {.bits = final_bits({"", 3, {}}, false), .limit = 3};
  add({{"method", "fp32_continued"}}, {94, 95}, {.loss = 0.3, .bits = {}});
  add({{"method", "fixed_precision"}, {"budget.average_bits", 3}}, {87, 89}, quantized);
  Json ours = {{"method", "qbitopt"}, {"budget.average_bits", 3}};
  ours.update({{"sensitivity", "fit"}, {"fit.decay", 0.9}});
  add(ours, {89, 90}, quantized);
  ours.erase("fit.decay");
  ours.update({{"sensitivity", "sqnr"}, {"sqnr.every", 1}});
  GoodRun unitless = quantized;
  unitless.cost_unit = "1";
  add(ours, {86, 87}, unitless);
  std::vector<Job> jobs;
  for (const auto& [job, run] : runs) jobs.push_back(job);
  Database database(file_);
  database.record_sweep(make_plan(jobs, "longer"));
  for (const auto& [job, run] : runs) store_run(database, job, run);
}

}  // namespace qbitopt::testing
