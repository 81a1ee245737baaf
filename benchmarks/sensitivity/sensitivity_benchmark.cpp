// What each metric costs, in steps of training: seconds of one evaluation (default options, 8
// calibration batches of 64 images) over the seconds of one quantisation-aware step (batch 64), and
// what `fit` adds to the step itself. One thread, as jobs run.
//
//   sensitivity_benchmark [rounds]

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "benchmarks/report.h"
#include "benchmarks/sensitivity/subject.h"
#include "qbitopt/models/batch_norm.h"
#include "qbitopt/quant/range_optimizer.h"
#include "qbitopt/quant/torch.h"
#include "qbitopt/sensitivity/fit.h"

namespace qbitopt {
namespace {

constexpr int64_t kBatchSize = 64;

class Trainee : public bench::Subject {
 public:
  explicit Trainee(const std::string& model) : Subject(model) {
    torch::manual_seed(1);
    for (int i = 0; i < 8; ++i) {
      calibration.emplace_back(
          torch::randn({kBatchSize, 1, 28, 28}).contiguous(at::MemoryFormat::ChannelsLast),
          torch::randint(10, {kBatchSize}));
    }
    weights_ = std::make_unique<torch::optim::SGD>(
        network->parameters(), torch::optim::SGDOptions(1e-3).momentum(0.9).weight_decay(1e-4));
    quantize(4);
    ranges_ = std::make_unique<RangeOptimizer>(quantizers, RangeOptimizerOptions{});
    fit_.start(quantizers);
    track(false);
  }

  // Whether quantisers gather what fit needs.
  void track(bool on) {
    is_tracking_ = on;
    for (const auto& quantizer : uniform) quantizer->track_fisher(on);
  }

  void step() {
    weights_->zero_grad();
    ranges_->zero_grad();
    const auto& [images, labels] = calibration.front();
    torch::cross_entropy_loss(network->forward(images), labels).backward();
    if (is_tracking_) fit_.observe_step(quantizers, kBatchSize, 1);
    weights_->step();
    ranges_->step();
  }

  Fit& fit() { return fit_; }

 private:
  std::unique_ptr<torch::optim::SGD> weights_;
  std::unique_ptr<RangeOptimizer> ranges_;
  Fit fit_;
  bool is_tracking_ = false;
};

void run(int rounds) {
  torch::set_num_threads(1);
  bench::Report report("sensitivity");
  SensitivityRegistry metrics("sensitivity");
  register_sensitivities(metrics);
  for (const std::string model : {"mobilenet_v2_tiny", "resnet20"}) {
    Trainee trainee(model);
    const std::string text = model + ", batch " + std::to_string(kBatchSize) + ", 1 thread";

    // The same step with and without, in turns and in changing order; what counts is the difference
    // within a round.
    const auto timed = [&](bool with_fit) {
      trainee.track(with_fit);
      return bench::seconds([&] { trainee.step(); });
    };
    timed(false), timed(true);
    std::vector<double> steps, increments;
    for (int round = 0; round < rounds; ++round) {
      const bool with_fit_first = round % 2 == 1;
      const double first = timed(with_fit_first), second = timed(!with_fit_first);
      steps.push_back(with_fit_first ? second : first);
      increments.push_back(with_fit_first ? first - second : second - first);
    }
    const auto step = bench::summarize(steps), increment = bench::summarize(increments);
    report.add({.name = "step without metric",
                .case_ = text,
                .value = 1e3 * step.median,
                .unit = "ms",
                .rounds = rounds,
                .spread = 1e3 * step.spread});
    const auto add = [&](const std::string& name, const bench::Summary& time, int count) {
      report.add({.name = name,
                  .case_ = text,
                  .value = 1e3 * time.median,
                  .unit = "ms",
                  .reference = "step",
                  .ratio = time.median / step.median,
                  .rounds = count,
                  .spread = 1e3 * time.spread});
    };
    add("fit, added to a step", increment, rounds);

    const BatchStatisticsScope scope(*trainee.network);
    trainee.track(true);
    SensitivityContext context = trainee.context();
    std::vector<double> times;
    for (int i = 0; i < 21; ++i) {
      times.push_back(bench::seconds([&] { trainee.fit().current(context); }));
    }
    add("fit, at a reallocation", bench::summarize(times), 21);
    trainee.track(false);
    for (const std::string& name : metrics.names()) {
      const auto metric = metrics.make(name, Parameters(Json::object()));
      const bool is_slow = name == "hessian_eigenvalue" || name == "hessian_trace" ||
                           name == "loss_delta" || name == "output_kl" || name == "fisher_exact";
      const int count = is_slow ? 1 : 5;
      times.clear();
      for (int i = 0; i < count; ++i) {
        times.push_back(bench::seconds([&] { metric->estimate(context); }));
      }
      add(name + ", before training", bench::summarize(times), count);
    }
  }
  report.finish();
}

}  // namespace
}  // namespace qbitopt

int main(int argc, char** argv) { qbitopt::run(argc > 1 ? std::atoi(argv[1]) : 201); }
