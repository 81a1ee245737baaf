// One step of quantization-aware training against one fp32 step of the same network in the same
// process: same images, layout, loss and optimizer of the weights; the quantized step adds all
// quantizers (4 bits), their range optimizer and the accumulation of FIT. A reallocation (reading
// FIT, solving, setting bits) is told as its share of tau = 40 steps, the shortest that recipes
// here use.
//
//   training_step_benchmark [rounds]

#include <cstdlib>
#include <string>

#include "benchmarks/quant/trainee.h"
#include "benchmarks/report.h"

namespace qbitopt {
namespace {

void run(int rounds) {
  bench::Report report("training_step");
  for (const int threads : {1, 2}) {
    torch::set_num_threads(threads);
    for (const std::string model : {"mobilenet_v2_tiny", "resnet20"}) {
      const int64_t batch_size = 64;
      bench::Trainee fp32(model, batch_size, {1, 28, 28}, 10, bench::Training::kFp32);
      bench::Trainee quantized(model, batch_size, {1, 28, 28}, 10, bench::Training::kQbitopt);
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
      report.add({.name = "quantized step",
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
                  .reference = "40 quantized steps",
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
