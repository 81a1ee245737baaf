// Nanoseconds per element and thread of every quantizer kernel, on a tensor as large as resnet20's
// first activations at batch 64, against copying the same memory.

#include <cstring>
#include <string>
#include <vector>

#include "benchmarks/report.h"
#include "qbitopt/core/random.h"
#include "qbitopt/quant/grid.h"
#include "qbitopt/quant/kernels/kernels.h"

namespace qbitopt {
namespace {

constexpr int64_t kElements = 64 * 16 * 28 * 28;  // 3 MiB a tensor
constexpr int kRounds = 101;

std::vector<float> values(double scale, std::string_view purpose) {
  Random random(0, purpose);
  std::vector<float> values(kElements);
  for (float& value : values) value = static_cast<float>(scale * (random.uniform() - 0.5));
  return values;
}

void run() {
  const std::vector<float> x = values(4, "x"), gradient = values(1e-3, "gradient");
  std::vector<float> out(kElements);
  struct Work {
    std::string name, case_;
    std::function<void()> call;
  };
  std::vector<Work> works = {{"memcpy", "read 1, write 1", [&] {
                                std::memcpy(out.data(), x.data(), kElements * sizeof(float));
                              }}};
  struct Case {
    const char* name;
    Activation activation;
    bool is_signed;
  };
  const Case cases[] = {{"signed", Activation::kIdentity, true},
                        {"after ReLU", Activation::kRelu, false},
                        {"after ReLU6", Activation::kRelu6, false}};
  for (const kernels::Kernels& kernel : kernels::available_kernels()) {
    for (const Case& c : cases) {
      const Grid grid = Grid::make(4, c.is_signed);
      const float K = static_cast<float>(grid.K);
      const kernels::Constants constants{1.5f / K, K / 1.5f, static_cast<float>(grid.n),
                                         static_cast<float>(grid.p)};
      const std::string name = std::string(", ") + kernel.name;
      works.push_back({"forward" + name, c.name, [=, &x, &out] {
                         kernel.forward(x.data(), out.data(), kElements, constants, c.activation);
                       }});
      works.push_back({"backward" + name, c.name, [=, &x, &gradient, &out] {
                         kernel.backward(x.data(), gradient.data(), out.data(), kElements,
                                         constants, c.activation);
                       }});
      if (c.activation == Activation::kIdentity) {
        works.push_back({"squared error" + name, c.name,
                         [=, &x] { kernel.squared_error(x.data(), kElements, constants); }});
      }
    }
  }

  std::vector<std::function<void()>> calls;
  for (const Work& work : works) calls.push_back(work.call);
  const auto times = bench::interleave(calls, kRounds);
  const double to_nanoseconds = 1e9 / static_cast<double>(kElements);
  const double copy = bench::summarize(times[0]).median;
  bench::Report report("quantizer_kernels");
  for (size_t i = 0; i < works.size(); ++i) {
    const bench::Summary summary = bench::summarize(times[i]);
    report.add({.name = works[i].name,
                .case_ = works[i].case_,
                .value = summary.median * to_nanoseconds,
                .unit = "ns/element",
                .reference = i == 0 ? "" : "memcpy",
                .ratio = i == 0 ? std::nullopt : std::optional(summary.median / copy),
                .rounds = kRounds,
                .spread = summary.spread * to_nanoseconds});
  }
  report.finish();
}

}  // namespace
}  // namespace qbitopt

int main() { qbitopt::run(); }
