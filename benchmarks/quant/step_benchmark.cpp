// One step of quantisation-aware training against one fp32 step of the same network in the same
// process: same images, layout, loss and optimiser of the weights; the quantised step adds all
// quantisers (4 bits), their range optimiser and the accumulation of FIT. A reallocation (reading
// FIT, solving, setting bits) is told as its share of tau = 40 steps, the shortest that recipes
// here use.
//
//   training_step_benchmark [rounds]

#include <torch/torch.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "benchmarks/report.h"
#include "qbitopt/allocation/relax_greedy.h"
#include "qbitopt/methods/budget_problem.h"
#include "qbitopt/models/network.h"
#include "qbitopt/quant/range_optimizer.h"
#include "qbitopt/sensitivity/fit.h"

namespace qbitopt {
namespace {

// A network with everything that one step of its training needs.
class Trainee {
 public:
  Trainee(const std::string& model, int64_t batch_size, bool quantized) {
    torch::manual_seed(1);
    NetworkRegistry registry("model");
    register_networks(registry);
    network_ = registry.make(model, NetworkOptions{});
    network_->measure({1, 28, 28});
    images_ = torch::randn({batch_size, 1, 28, 28}).contiguous(at::MemoryFormat::ChannelsLast);
    labels_ = torch::randint(10, {batch_size});
    weights_ = std::make_unique<torch::optim::SGD>(
        network_->parameters(), torch::optim::SGDOptions(1e-3).momentum(0.9).weight_decay(1e-4));
    if (quantized) quantize();
  }

  void step() {
    weights_->zero_grad();
    if (ranges_) ranges_->zero_grad();
    const torch::Tensor loss = torch::cross_entropy_loss(network_->forward(images_), labels_);
    loss.backward();
    if (ranges_) fit_.observe_step(quantizers_, images_.size(0), 1);
    weights_->step();
    if (ranges_) ranges_->step();
  }

  void reallocate() {
    std::vector<QuantizerSpec> specs;
    for (const QuantizerPtr& quantizer : quantizers_) specs.push_back(quantizer->spec());
    Problem problem = budget_problem(specs, Parameters(Json::object({{"budget.average_bits", 3}})));
    SensitivityContext context{.quantizers = quantizers_, .forward = {}, .batches = {}};
    const CostTable table = fit_.current(context);
    for (size_t i = 0; i < specs.size(); ++i) {
      if (!specs[i].pinned_bits) problem.quantizers[i].costs = table.costs[i];
    }
    const Solution solution = solver_.solve(problem);
    for (size_t i = 0; i < specs.size(); ++i) quantizers_[i]->set_bits(solution.bits[i]);
  }

 private:
  void quantize() {
    for (QuantizerSite* site : network_->sites()) {
      auto quantizer = std::make_shared<UniformQuantizer>(site->spec());
      if (!site->spec().pinned_bits) quantizer->set_bits(4);
      quantizer->begin_calibration();
      site->attach(quantizer);
      quantizers_.push_back(quantizer);
    }
    network_->forward(images_);
    for (const QuantizerPtr& quantizer : quantizers_) quantizer->end_calibration();
    ranges_ = std::make_unique<RangeOptimizer>(quantizers_, RangeOptimizerOptions{});
    fit_.start(quantizers_);
  }

  std::unique_ptr<Network> network_;
  torch::Tensor images_, labels_;
  std::unique_ptr<torch::optim::SGD> weights_;
  std::vector<QuantizerPtr> quantizers_;
  std::unique_ptr<RangeOptimizer> ranges_;
  Fit fit_;
  RelaxGreedy solver_;
};

void run(int rounds) {
  bench::Report report("training_step");
  for (const int threads : {1, 2}) {
    torch::set_num_threads(threads);
    for (const std::string model : {"mobilenet_v2_tiny", "resnet20"}) {
      const int64_t batch_size = 64;
      Trainee fp32(model, batch_size, /*quantized=*/false);
      Trainee quantized(model, batch_size, /*quantized=*/true);
      const auto times = bench::interleave(
          {[&] { fp32.step(); }, [&] { quantized.step(); }, [&] { quantized.reallocate(); }},
          rounds);
      const std::string text = model + ", batch " + std::to_string(batch_size) + ", " +
                               std::to_string(threads) + (threads == 1 ? " thread" : " threads");
      const auto reference = bench::summarize(times[0]), value = bench::summarize(times[1]);
      report.add({.name = "fp32 step",
                  .case_ = text,
                  .value = 1e3 * reference.median,
                  .unit = "ms",
                  .rounds = rounds,
                  .spread = 1e3 * reference.spread});
      report.add({.name = "quantised step",
                  .case_ = text,
                  .value = 1e3 * value.median,
                  .unit = "ms",
                  .reference = "fp32 step",
                  .ratio = value.median / reference.median,
                  .rounds = rounds,
                  .spread = 1e3 * value.spread});
      constexpr double kTau = 40;
      const auto reallocation = bench::summarize(times[2]);
      report.add({.name = "reallocation",
                  .case_ = text,
                  .value = 1e3 * reallocation.median,
                  .unit = "ms",
                  .reference = "40 quantised steps",
                  .ratio = reallocation.median / (kTau * value.median),
                  .rounds = rounds,
                  .spread = 1e3 * reallocation.spread});
    }
  }
  report.finish();
}

}  // namespace
}  // namespace qbitopt

int main(int argc, char** argv) { qbitopt::run(argc > 1 ? std::atoi(argv[1]) : 41); }
