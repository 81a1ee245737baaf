// Images per second of training on a GPU: full precision, fixed precision (LSQ), QBitOpt (with
// FIT), and the same fixed precision written as PyTorch's own chain of autograd operations, the
// usual way. ImageNet's shapes on made-up images. Steps take turns, a step is timed until the
// device is done.
//
//   gpu_training_benchmark [batch] [rounds]

#include <cmath>
#include <cstdlib>
#include <string>

#include "benchmarks/quant/trainee.h"
#include "benchmarks/report.h"

namespace qbitopt {
namespace {

using torch::Tensor;

// LSQ as most repositories write it: every operation a node of autograd's graph.
class ChainQuantizer : public UniformQuantizer {
 public:
  using UniformQuantizer::UniformQuantizer;

  Tensor forward(const Tensor& any_x) override {
    if (!torch::GradMode::is_enabled()) return UniformQuantizer::forward(any_x);  // calibration
    const Tensor x = apply_activation(spec().absorbs, any_x);
    const Grid at = grid();
    const double g = 1 / std::sqrt(static_cast<double>(x.numel()) * at.p);
    const Tensor s = range() / at.K;
    const Tensor scaled = (s - s * g).detach() + s * g;
    const Tensor v = (x / scaled).clamp(at.n, at.p);
    return ((v.round() - v).detach() + v) * scaled;
  }
};

void run(int64_t batch, int rounds) {
  if (!torch::cuda::is_available()) {
    std::printf("gpu_training_benchmark: no GPU here, nothing measured\n");
    return;
  }
  at::globalContext().setBenchmarkCuDNN(true);
  bench::Report report("gpu_training");
  for (const std::string model : {"resnet18", "mobilenet_v2"}) {
    const auto trainee = [&](bench::Training training, bench::Trainee::MakeQuantizer make = {}) {
      return std::make_unique<bench::Trainee>(model, batch, std::vector<int64_t>{3, 224, 224}, 1000,
                                              training, torch::kCUDA, make);
    };
    const auto fp32 = trainee(bench::Training::kFp32), fixed = trainee(bench::Training::kFixed),
               qbitopt = trainee(bench::Training::kQbitopt),
               chain = trainee(bench::Training::kFixed, [](const QuantizerSpec&spec) {
                 return std::make_shared<ChainQuantizer>(spec);
               });
    const auto timed = [](auto work) {
      return [work] {
        work();
        torch::cuda::synchronize();
      };
    };
    for (int warm = 0; warm < 3; ++warm) {  // cuDNN tries its algorithms, the allocator fills
      for (bench::Trainee* one : {fp32.get(), fixed.get(), qbitopt.get(), chain.get()}) one->step();
    }
    torch::cuda::synchronize();
    const auto times =
        bench::interleave({timed([&] { fp32->step(); }), timed([&] { fixed->step(); }),
                           timed([&] { qbitopt->step(); }), timed([&] { chain->step(); }),
                           timed([&] { qbitopt->reallocate(); })},
                          rounds);
    const std::string text = model + ", 224 x 224, batch " + std::to_string(batch);
    const double reference = bench::summarize(times[0]).median;
    const char* names[] = {"full precision", "fixed precision", "qbitopt",
                           "fixed precision, chain of operations"};
    for (int i = 0; i < 4; ++i) {
      const auto seconds = bench::summarize(times[i]);
      const double speed = static_cast<double>(batch) / seconds.median;
      bench::Row row{.name = names[i],
                     .case_ = text,
                     .value = speed,
                     .unit = "images/s",
                     .rounds = rounds,
                     .spread = speed * seconds.spread / seconds.median};
      if (i > 0) {
        row.reference = names[0];
        row.ratio = reference / seconds.median;
      }
      report.add(row);
    }
    const auto reallocation = bench::summarize(times[4]);
    report.add({.name = "reallocation",
                .case_ = text,
                .value = 1e3 * reallocation.median,
                .unit = "ms",
                .reference = "250 qbitopt steps",
                .ratio = reallocation.median / (250 * bench::summarize(times[2]).median),
                .rounds = rounds,
                .spread = 1e3 * reallocation.spread});
  }
  report.finish();
}

}  // namespace
}  // namespace qbitopt

int main(int argc, char** argv) {
  qbitopt::run(argc > 1 ? std::atoi(argv[1]) : 256, argc > 2 ? std::atoi(argv[2]) : 21);
}
