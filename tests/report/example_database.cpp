#include "report/example_database.h"

#include <fmt/format.h>

#include <cmath>
#include <fstream>
#include <memory>

#include "qbitopt/core/hash.h"
#include "qbitopt/core/random.h"

namespace qbitopt::testing {
namespace {

constexpr int kSteps = 400;
constexpr int kTau = 40;
constexpr double kStart = 1'764'000'000;

struct Layer {
  std::string name;
  int64_t weights;
  int64_t inputs;
  int64_t macs;
};

std::vector<Layer> layers() {
  std::vector<Layer> all = {{"features.0.0", 144, 784, 28224}};
  int64_t channels = 16;
  int64_t pixels = 196;
  const auto add = [&](const std::string& name, int64_t in, int64_t out, bool depthwise) {
    const int64_t weights = depthwise ? 9 * out : in * out;
    all.push_back({name, weights, in * pixels, weights * pixels});
  };
  add("features.1.conv.0.0", 16, 16, true);
  add("features.1.conv.1", 16, 16, false);
  for (int unit = 2; unit <= 6; ++unit) {
    const int64_t out = unit == 2 ? 24 : unit <= 4 ? 32 : 48;
    const std::string path = fmt::format("features.{}.conv.", unit);
    add(path + "0.0", channels, 4 * channels, false);
    add(path + "1.0", 4 * channels, 4 * channels, true);
    if (unit == 2 || unit == 3 || unit == 5) pixels /= 4;
    add(path + "2", 4 * channels, out, false);
    channels = out;
  }
  add("features.7.0", 48, 128, false);
  all.push_back({"classifier.1", 1280, 128, 1280});
  return all;
}

std::vector<QuantizerInfo> inventory() {
  std::vector<QuantizerInfo> quantizers;
  for (const Layer& layer : layers()) {
    const bool is_end = layer.name == "features.0.0" || layer.name == "classifier.1";
    const auto pinned = is_end ? std::optional(8) : std::nullopt;
    quantizers.push_back(
        {layer.name + ".input", "activation", layer.inputs, layer.macs, !is_end, pinned});
    quantizers.push_back(
        {layer.name + ".weight", "weight", layer.weights, layer.macs, !is_end, pinned});
  }
  return quantizers;
}

Job example_job(Json parameters) {
  parameters.update({{"model", "mobilenet_v2_tiny"},
                     {"data.name", "fashion_mnist"},
                     {"training.steps", kSteps},
                     {"training.batch_size", 64},
                     {"training.learning_rate", 0.02},
                     {"device", "cpu"}});
  Job job;
  job.parameters = parameters;
  job.key = sha256(canonical_json(parameters));
  parameters.erase("seed");
  job.config_key = sha256(canonical_json(parameters));
  job.guarantees_budget = job.parameters.at("method") != "penalty";
  job.versions = {{"method:" + job.parameters.at("method").get<std::string>(), 1}};
  return job;
}

std::vector<Job> jobs(const ExampleOptions& options) {
  std::vector<Job> all = {example_job({{"method", "fp32"}, {"seed", 0}})};
  const auto add = [&](const std::string& method, const std::vector<double>& budgets) {
    for (const double bits : budgets) {
      for (int seed = 0; seed < options.seeds; ++seed) {
        Json parameters = {{"method", method}, {"seed", seed}};
        if (bits > 0) parameters["budget.average_bits"] = bits;
        if (method == "qbitopt") parameters["reallocation.tau"] = kTau;
        if (method == "qbitopt" || method == "static_allocation")
          parameters.update({{"sensitivity", "fit"}, {"solver", "relax_greedy"}});
        all.push_back(example_job(parameters));
      }
    }
  };
  add("fp32_continued", {0});
  add("fixed_precision", {4, 3, 2});
  add("random_allocation", {3, 2.5});
  add("static_allocation", {4, 3, 2.5});
  add("penalty", {4, 3, 2.5});
  add("qbitopt", {4, 3, 2.5});
  if (options.hostile) add("<script>alert(1)</script>", {3});
  return all;
}

// One made-up run.
class Run {
 public:
  Run(Job job, const ExampleOptions& options) : job_(std::move(job)), options_(options) {
    method_ = job_.parameters.at("method");
    budget_ = job_.parameters.value("budget.average_bits", 0.0);
    seed_ = job_.parameters.at("seed");
    if (budget_ > 0) quantizers_ = inventory();
  }

  std::vector<Event> events(double begin) {
    begin_ = begin;
    tell(Started{.host = "bench-01",
                 .pid = 4711,
                 .device = "cpu",
                 .environment = {{"cpu", "AMD EPYC 9R14"},
                                 {"os", "Debian GNU/Linux 12"},
                                 {"libtorch", "2.13.0"},
                                 {"compiler", "GCC 12.2.0"},
                                 {"commit", "bf13d61"}}});
    if (!quantizers_.empty()) tell(Inventory{quantizers_});
    if (options_.hostile)
      tell(Note{"warning", "</script><img src=x onerror=alert(2)> & \"quotes\""});
    for (int step = 0; step <= kSteps; ++step) {
      const bool is_due = step == 0 || (method_ == "qbitopt" && step % kTau == 0);
      if (budget_ > 0 && is_due && step + kTau <= kSteps) tell(reallocation(step));
      if (step > 0 && step % 10 == 0) tell(training_metrics(step));
    }
    if (fails()) {
      tell(NonFinite{212, "loss", "nan"});
      tell(Failed{"non_finite", "the loss is <b>nan</b> at step 212; try a smaller learning rate"});
    } else {
      tell(finished());
    }
    return std::move(events_);
  }

  bool fails() const { return method_ == "random_allocation" && budget_ == 2.5 && seed_ == 1; }

 private:
  void tell(EventBody body) {
    const auto number = static_cast<int64_t>(events_.size()) + 1;
    events_.push_back({number, begin_ + 0.5 * static_cast<double>(number), std::move(body)});
  }

  double draw(const char* purpose, int a = 0) const {
    return Random(std::stoull(job_.key.substr(0, 15), nullptr, 16), purpose,
                  static_cast<uint64_t>(a))
        .normal();
  }

  // Top-1 accuracy that this method loses against full precision.
  double loss_of_accuracy() const {
    if (budget_ == 0) return 0;
    const double fixed = 40 * std::exp(-1.05 * budget_);
    if (method_ == "qbitopt") return 0.35 * fixed;
    if (method_ == "static_allocation") return 0.5 * fixed;
    if (method_ == "random_allocation") return 1.8 * fixed;
    if (method_ == "penalty") return 0.6 * fixed;
    return fixed;
  }

  double top1() const {
    const double start = method_ == "fp32" ? 90.9 : 91.4;
    return start - loss_of_accuracy() + (0.12 + 0.06 * loss_of_accuracy()) * draw("top1");
  }

  Metrics training_metrics(int step) const {
    const double decay = std::exp(-step / 90.0);
    const double loss = 0.26 + 0.045 * loss_of_accuracy() * (1 + 2 * decay) + 0.2 * decay;
    return {step,
            "train",
            {{"loss", loss + 0.012 * draw("loss", step)},
             {"top1", top1() - 9 * decay + 0.4 * draw("batch", step)},
             {"learning_rate", 0.02 * std::cos(1.57 * step / kSteps)}}};
  }

  double sensitivity(size_t q, int step) const {
    const bool is_depthwise = quantizers_[q].name.find(".1.0.") != std::string::npos;
    const double trend = std::sin(static_cast<double>(q) + step / 130.0);
    return std::exp(2.0 * trend - 0.12 * static_cast<double>(q) + (is_depthwise ? 2.5 : 0) +
                    0.1 * draw("fit", 1000 * static_cast<int>(q) + step));
  }

  // Bits by a greedy pass in the order of the sensitivities; not the best, but within the budget.
  std::vector<int> choose_bits(int step) const {
    std::vector<int> bits;
    for (const QuantizerInfo& quantizer : quantizers_)
      bits.push_back(
          quantizer.pinned_bits.value_or(method_ == "fixed_precision" ? int(budget_) : 2));
    if (method_ == "fixed_precision") return bits;
    const double limit = budget_ + (method_ == "penalty" && seed_ != 1 ? 0.13 * (5 - budget_) : 0);
    for (const char* kind : {"weight", "activation"}) {
      std::vector<std::pair<double, size_t>> order;
      for (size_t q = 0; q < bits.size(); ++q) {
        if (quantizers_[q].kind != kind || !quantizers_[q].counted) continue;
        const double value = method_ == "random_allocation"
                                 ? draw("random", static_cast<int>(q))
                                 : sensitivity(q, step) / std::sqrt(quantizers_[q].elements);
        for (int bit = 3; bit <= 8; ++bit) order.push_back({-value / std::pow(4, bit), q});
      }
      std::sort(order.begin(), order.end());
      for (const auto& [value, q] : order) {
        if (bits[q] >= 8) continue;
        ++bits[q];
        if (average(bits, kind, true) > limit) --bits[q];
      }
    }
    return bits;
  }

  double average(const std::vector<int>& bits, const std::string& kind, bool only_counted) const {
    double sum = 0;
    double elements = 0;
    for (size_t q = 0; q < bits.size(); ++q) {
      if (quantizers_[q].kind != kind || (only_counted && !quantizers_[q].counted)) continue;
      sum += static_cast<double>(quantizers_[q].elements) * bits[q];
      elements += static_cast<double>(quantizers_[q].elements);
    }
    return sum / elements;
  }

  std::vector<BudgetState> budgets(const std::vector<int>& bits) const {
    return {{"weight", budget_, average(bits, "weight", true)},
            {"activation", budget_, average(bits, "activation", true)}};
  }

  Reallocation reallocation(int step) {
    bits_ = choose_bits(step);
    Reallocation told;
    told.step = step;
    told.status = step == 0 ? "initial" : "feasible";
    told.bits = bits_;
    told.budgets = budgets(bits_);
    for (size_t q = 0; q < bits_.size(); ++q) told.ranges.push_back(1 + 0.1 * double(q % 7));
    if (method_ != "qbitopt" && method_ != "static_allocation") return told;
    told.solver = "relax_greedy";
    for (size_t q = 0; q < bits_.size(); ++q) {
      told.sensitivities.push_back(sensitivity(q, step));
      for (const int bits : {2, 4, 8}) {
        told.costs.resize(q + 1);
        told.costs[q][bits] = sensitivity(q, step) / ((1 << bits) - 1);
      }
    }
    told.cost_unit = "nats";
    told.objective = 0.04 * loss_of_accuracy() * std::exp(0.2 * draw("objective", step));
    told.bound = 0.97 * told.objective;
    told.gap = 0.03;
    told.solve_microseconds = 18 * std::exp(0.3 * draw("solve", step));
    told.sensitivity_seconds = 0.002;
    return told;
  }

  Finished finished() const {
    Finished end;
    end.steps = kSteps;
    end.results = {{"top1", top1()},
                   {"loss", 0.25 + 0.035 * loss_of_accuracy() + 0.004 * draw("end")},
                   {"validation_top1", top1() + 0.3},
                   {"validation_loss", 0.24 + 0.035 * loss_of_accuracy()}};
    end.bits = bits_;
    if (!bits_.empty()) {
      end.budgets = budgets(bits_);
      for (const BudgetState& budget : end.budgets) {
        end.all_tensor_bits[budget.group] = average(bits_, budget.group, false);
        if (budget.achieved > budget.limit) end.budget_met = false;
      }
      for (size_t q = 0; q < bits_.size(); ++q) {
        if (quantizers_[q].kind == "weight")
          end.weight_bytes += quantizers_[q].elements * bits_[q] / 8;
      }
    }
    end.seconds =
        48 + (budget_ > 0 ? 9 : 0) + (method_ == "qbitopt" ? 2 : 0) + 1.5 * draw("seconds");
    end.train_seconds = 0.8 * end.seconds;
    end.reallocation_seconds = method_ == "qbitopt" ? 0.4 : 0;
    end.peak_memory_bytes = 410'000'000;
    return end;
  }

  Job job_;
  ExampleOptions options_;
  std::string method_;
  double budget_ = 0;
  int seed_ = 0;
  std::vector<QuantizerInfo> quantizers_;
  std::vector<int> bits_;
  std::vector<Event> events_;
  double begin_ = 0;
};

void write_log(const Attempt& attempt) {
  std::filesystem::create_directories(attempt.folder);
  std::ofstream log(std::filesystem::path(attempt.folder) / "log.txt");
  log << "job " << attempt.job.key << "\nMobileNetV2 tiny, 19 quantized layers\n";
  for (int step = 100; step <= kSteps; step += 100)
    log << fmt::format("step {}/{}: loss 0.{} <b>bold?</b>\n", step, kSteps, 500 - step);
}

}  // namespace

void store_example(Database& database, const std::filesystem::path& folder,
                   const ExampleOptions& options) {
  std::vector<Job> all = jobs(options);
  for (const int seed : {98, 99}) {  // one that is running, one that is new
    Json parameters = all.back().parameters;
    parameters.update({{"method", "fixed_precision"}, {"seed", seed}, {"budget.average_bits", 3}});
    all.push_back(example_job(parameters));
  }
  Plan plan;
  plan.sweep_name = "example";
  plan.file = "sweeps/example.yaml";
  plan.text =
      "# What does choosing bits per tensor buy, and does choosing them again during training add "
      "to it?\n# Made-up numbers.\nqbitopt: 1\nname: example\nseeds: 3\n";
  plan.included = {{"experiments/fashion_mnist/mobilenet_v2_tiny.yaml", sha256("recipe")}};
  for (const Job& job : all) {
    plan.jobs.push_back(planned_job(job));
    auto shape = std::make_shared<JobShape>(*plan.jobs.back().shape);
    shape->axes = {"method", "budget.average_bits"};
    plan.jobs.back().shape = shape;
  }
  database.record_sweep(plan, {{"qbitopt", "run", "sweeps/example.yaml"}, {{"host", "bench-01"}}});

  double begin = kStart;
  for (size_t i = 0; i + 1 < all.size(); ++i) {
    const bool is_running = i + 2 == all.size();
    const Attempt attempt = {
        .job = all[i],
        .number = 1,
        .folder = (folder / "qbitopt.runs" / all[i].key.substr(0, 10) / "1").string()};
    write_log(attempt);
    database.begin(attempt);
    Run run(all[i], options);
    std::vector<Event> events = run.events(begin);
    if (is_running) {
      events.resize(events.size() / 2);
      database.ingest(attempt, events);
      database.commit();
      break;
    }
    database.ingest(attempt, events);
    AttemptEnd end;
    if (run.fails()) {
      end = {.state = JobState::kFailed,
             .exit_code = 1,
             .error_class = "non_finite",
             .text = "the loss is <b>nan</b> at step 212; try a smaller learning rate"};
    }
    database.end(attempt, end);
    begin += 31;
  }
}

}  // namespace qbitopt::testing
