// What each metric costs, in steps of training: seconds of one evaluation (default options, 8
// calibration batches of 64 images) over the seconds of one quantization-aware step (batch 64), and
// what `fit` adds to the step itself: the sum of squares within the backward kernels and the moving
// average after the step. One thread, as jobs run.
//
//   sensitivity_benchmark [rounds [metric...]]
//
// Default: 51 rounds, all metrics (half an hour).

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "benchmarks/report.h"
#include "benchmarks/sensitivity/squares.h"
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
  }

  void step() {
    weights_->zero_grad();
    ranges_->zero_grad();
    const auto& [images, labels] = calibration.front();
    torch::cross_entropy_loss(network->forward(images), labels).backward();
    fit_.observe_step(quantizers, kBatchSize, 1);
    weights_->step();
    ranges_->step();
  }

  Fit& fit() { return fit_; }

 private:
  std::unique_ptr<torch::optim::SGD> weights_;
  std::unique_ptr<RangeOptimizer> ranges_;
  Fit fit_;
};

// The parts of a step that know of squared gradients, on tensors of the step's sizes. Alone they
// are measured to microseconds; within whole steps they drown in what else the machine does.
class StepParts {
 public:
  explicit StepParts(Trainee& trainee) : trainee_(trainee) {
    for (const auto& quantizer : trainee.uniform) {
      const QuantizerSpec& spec = quantizer->spec();
      const int64_t count = spec.elements * (spec.kind == TensorKind::kActivation ? kBatchSize : 1);
      const Grid grid = quantizer->grid_at(quantizer->bits());
      const auto K = static_cast<float>(grid.K);
      const auto range = quantizer->range().detach().item<float>();
      const torch::Tensor x = range / 2 * torch::randn({count});
      tensors_.push_back(
          {x,
           torch::randn({count}),
           torch::empty({count}),
           spec.absorbs,
           {range / K, K / range, static_cast<float>(grid.n), static_cast<float>(grid.p)}});
      sums_.push_back(torch::ones({2}, torch::kFloat64));
      sums_.back()[1] = 0;
    }
  }

  // All quantizers' backward passes.
  void backward(const kernels::Kernels& kernels) {
    constexpr int64_t kPiece = 8192;  // as fake_quantize() cuts them
    for (const auto& [x, gradient, dx, activation, constants] : tensors_) {
      for (int64_t from = 0; from < x.numel(); from += kPiece) {
        kernels.backward(x.const_data_ptr<float>() + from, gradient.const_data_ptr<float>() + from,
                         dx.mutable_data_ptr<float>() + from, std::min(kPiece, x.numel() - from),
                         constants, activation);
      }
    }
  }

  // What becomes of the sums: handed over by backward, averaged when the step ends.
  void average() {
    for (size_t q = 0; q < sums_.size(); ++q) {
      trainee_.uniform[q]->fisher()->add(sums_[q], tensors_[q].dx);
    }
    trainee_.fit().observe_step(trainee_.quantizers, kBatchSize, 1);
  }

 private:
  struct Tensors {
    torch::Tensor x, gradient, dx;
    Activation activation;
    kernels::Constants constants;
  };
  Trainee& trainee_;
  std::vector<Tensors> tensors_;
  std::vector<torch::Tensor> sums_;
};

std::vector<double> differences(const std::vector<double>& more, const std::vector<double>& less) {
  std::vector<double> result(more.size());
  for (size_t i = 0; i < more.size(); ++i) result[i] = more[i] - less[i];
  return result;
}

void run(int rounds, std::vector<std::string> names) {
  torch::set_num_threads(1);
  bench::Report report("sensitivity");
  SensitivityRegistry metrics("sensitivity");
  register_sensitivities(metrics);
  if (names.empty()) names = metrics.names();
  for (const std::string model : {"mobilenet_v2_tiny", "resnet20"}) {
    Trainee trainee(model);
    const std::string text = model + ", batch " + std::to_string(kBatchSize) + ", 1 thread";

    const auto step = bench::summarize(bench::interleave({[&] { trainee.step(); }}, rounds)[0]);
    report.add({.name = "step",
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
    StepParts parts(trainee);
    const auto times = bench::interleave(
        {[&] { parts.backward(kernels::kWithoutSquares); },
         [&] { parts.backward(kernels::kWithSquares); }, [&] { parts.average(); }},
        10 * rounds);
    const std::vector<double> squares = differences(times[1], times[0]);
    std::vector<double> sum(squares);
    for (size_t i = 0; i < sum.size(); ++i) sum[i] += times[2][i];
    add("quantizers' backward without squares", bench::summarize(times[0]), 10 * rounds);
    add("fit: squares in the backward", bench::summarize(squares), 10 * rounds);
    add("fit: average after the step", bench::summarize(times[2]), 10 * rounds);
    add("fit, added to a step", bench::summarize(sum), 10 * rounds);

    const BatchStatisticsScope scope(*trainee.network);
    SensitivityContext context = trainee.context();
    add("fit, at a reallocation",
        bench::summarize(bench::interleave({[&] { trainee.fit().current(context); }}, 21)[0]), 21);
    for (const auto& quantizer : trainee.uniform) quantizer->track_fisher(false);
    for (const std::string& name : names) {
      const auto metric = metrics.make(name, Parameters(Json::object()));
      const bool is_slow = name == "hessian_eigenvalue" || name == "hessian_trace" ||
                           name == "loss_delta" || name == "output_kl" || name == "fisher_exact";
      const int count = is_slow ? 1 : 5;
      std::vector<double> evaluations;
      for (int i = 0; i < count; ++i) {
        evaluations.push_back(bench::seconds([&] { trainee.estimate(*metric); }));
      }
      add(name + ", before training", bench::summarize(evaluations), count);
    }
  }
  report.finish();
}

}  // namespace
}  // namespace qbitopt

int main(int argc, char** argv) {
  qbitopt::run(argc > 1 ? std::atoi(argv[1]) : 51, {argv + std::min(argc, 2), argv + argc});
}
