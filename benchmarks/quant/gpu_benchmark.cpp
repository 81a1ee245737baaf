// Images per second of training on a GPU: full precision, fixed precision (LSQ), QBitOpt (with
// FIT), and the same fixed precision written as PyTorch's own chain of autograd operations, the
// usual way; and the first three in float16 with a loss scale (training.autocast: fp16). ImageNet's
// shapes on made-up images. Steps take turns, a step is timed until the device is done. All of it
// twice: as training.deterministic: false runs, and as true does.
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

struct Contender {
  std::string name;
  bench::Training training;
  Precision precision = Precision::kFloat32;
  bench::Trainee::MakeQuantizer make = {};
};

void measure(const std::string& model, int64_t batch, int rounds, bool deterministic,
             bench::Report& report) {
  at::globalContext().setDeterministicCuDNN(deterministic);
  at::globalContext().setBenchmarkCuDNN(!deterministic);
  const std::vector<Contender> contenders = {
      {"full precision", bench::Training::kFp32},
      {"fixed precision", bench::Training::kFixed},
      {"qbitopt", bench::Training::kQbitopt},
      {"fixed precision, chain of operations", bench::Training::kFixed, Precision::kFloat32,
       [](const QuantizerSpec& spec) { return std::make_shared<ChainQuantizer>(spec); }},
      {"full precision, float16", bench::Training::kFp32, Precision::kFloat16},
      {"fixed precision, float16", bench::Training::kFixed, Precision::kFloat16},
      {"qbitopt, float16", bench::Training::kQbitopt, Precision::kFloat16}};
  std::vector<std::unique_ptr<bench::Trainee>> trainees;
  std::vector<std::function<void()>> works;
  const auto timed = [](auto work) {
    return [work] {
      work();
      torch::cuda::synchronize();
    };
  };
  for (const Contender& contender : contenders) {
    trainees.push_back(std::make_unique<bench::Trainee>(
        model, batch, std::vector<int64_t>{3, 224, 224}, 1000, contender.training, torch::kCUDA,
        contender.make, contender.precision));
    works.push_back(timed([trainee = trainees.back().get()] { trainee->step(); }));
  }
  works.push_back(timed([qbitopt = trainees[2].get()] { qbitopt->reallocate(); }));
  for (int warm = 0; warm < 3; ++warm) {  // cuDNN tries its algorithms, the allocator fills
    for (const auto& trainee : trainees) trainee->step();
  }
  torch::cuda::synchronize();
  const auto times = bench::interleave(works, rounds);
  const std::string text = model + ", 224 x 224, batch " + std::to_string(batch) +
                           (deterministic ? ", deterministic" : "");
  const double reference = bench::summarize(times[0]).median;
  for (size_t i = 0; i < contenders.size(); ++i) {
    const auto seconds = bench::summarize(times[i]);
    const double speed = static_cast<double>(batch) / seconds.median;
    bench::Row row{.name = contenders[i].name,
                   .case_ = text,
                   .value = speed,
                   .unit = "images/s",
                   .rounds = rounds,
                   .spread = speed * seconds.spread / seconds.median};
    if (i > 0) {
      row.reference = contenders[0].name;
      row.ratio = reference / seconds.median;
    }
    report.add(row);
  }
  const auto reallocation = bench::summarize(times.back());
  report.add({.name = "reallocation",
              .case_ = text,
              .value = 1e3 * reallocation.median,
              .unit = "ms",
              .reference = "250 qbitopt steps",
              .ratio = reallocation.median / (250 * bench::summarize(times[2]).median),
              .rounds = rounds,
              .spread = 1e3 * reallocation.spread});
}

void run(int64_t batch, int rounds) {
  if (!torch::cuda::is_available()) {
    std::printf("gpu_training_benchmark: no GPU here, nothing measured\n");
    return;
  }
  bench::Report report("gpu_training");
  for (const std::string model : {"resnet18", "mobilenet_v2"}) {
    for (const bool deterministic : {false, true})
      measure(model, batch, rounds, deterministic, report);
  }
  report.finish();
}

}  // namespace
}  // namespace qbitopt

int main(int argc, char** argv) {
  qbitopt::run(argc > 1 ? std::atoi(argv[1]) : 256, argc > 2 ? std::atoi(argv[2]) : 21);
}
