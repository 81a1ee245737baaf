// One step of quantization-aware training against one fp32 step of the same network in the same
// process: same images, layout, loss and optimizer of the weights; the quantized step adds all
// quantizers (4 bits), their range optimizer and the accumulation of FIT. Both also with the passes
// of batch norm, activation and quantizer joined (training.kernels: joined). A reallocation (reading
// FIT, solving, setting bits) is told as its share of tau = 40 steps, the shortest that recipes
// here use.
//
//   training_step_benchmark [rounds]

#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <vector>

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
      const auto trainee = [&](bench::Training training, bool joined_passes) {
        return std::make_unique<bench::Trainee>(model, batch_size, std::vector<int64_t>{1, 28, 28},
                                                10, training, torch::kCPU, nullptr,
                                                Precision::kFloat32, joined_passes);
      };
      const auto fp32 = trainee(bench::Training::kFp32, false);
      const auto quantized = trainee(bench::Training::kQbitopt, false);
      const auto fp32_joined = trainee(bench::Training::kFp32, true);
      const auto quantized_joined = trainee(bench::Training::kQbitopt, true);
      const auto times = bench::interleave(
          {[&] { fp32->step(); }, [&] { quantized->step(); }, [&] { fp32_joined->step(); },
           [&] { quantized_joined->step(); }, [&] { quantized->reallocate(); }},
          rounds);
      const std::string text = model + ", batch " + std::to_string(batch_size) + ", " +
                               std::to_string(threads) + (threads == 1 ? " thread" : " threads");
      const char* names[] = {"fp32 step", "quantized step", "fp32 step, joined passes",
                             "quantized step, joined passes"};
      const auto add = [&](size_t which, std::optional<size_t> reference) {
        const auto value = bench::summarize(times[which]);
        bench::Row row{.name = names[which],
                       .case_ = text,
                       .value = 1e3 * value.median,
                       .unit = "ms",
                       .rounds = rounds,
                       .spread = 1e3 * value.spread};
        if (reference) {
          row.reference = names[*reference];
          row.ratio = value.median / bench::summarize(times[*reference]).median;
        }
        report.add(row);
      };
      add(0, {});
      add(1, 0);
      add(2, 0);
      add(3, 1);
      add(3, 2);
      const auto value = bench::summarize(times[1]);
      constexpr double kTau = 40;
      const auto reallocation = bench::summarize(times[4]);
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
