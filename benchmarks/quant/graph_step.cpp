// One training step of a network from a .pt2 file against one of the built-in network of the same
// name, in full precision and with quantizers at 4 bits and FIT: whether a network of one's own is
// as fast as those here. Steps alternate in one process.
//
//   graph_step resnet18.pt2 [MORE.pt2 ...] [rounds]    (make bench-graph)

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "benchmarks/quant/trainee.h"
#include "benchmarks/report.h"

namespace qbitopt {
namespace {

constexpr int64_t kBatch = 16;

void run(const std::vector<std::string>& files, int rounds) {
  bench::Report report("graph_step");
  torch::set_num_threads(1);
  for (const std::string& file : files) {
    const std::string model = std::filesystem::path(file).stem();
    const Graph content = read_graph(file);
    const std::vector<int64_t> shape = content.image_shape();
    const int64_t classes = content.classes();
    for (const auto& [training, name] : {std::pair{bench::Training::kFp32, "fp32 step"},
                                         std::pair{bench::Training::kQbitopt, "quantized step"}}) {
      bench::Trainee built_in(model, kBatch, shape, classes, training);
      bench::Trainee graph(file, kBatch, shape, classes, training);
      const auto times =
          bench::interleave({[&] { built_in.step(); }, [&] { graph.step(); }}, rounds);
      const std::string text = model + ", batch " + std::to_string(kBatch) + ", 1 thread";
      const auto reference = bench::summarize(times[0]), value = bench::summarize(times[1]);
      report.add({.name = std::string(name) + ", built in",
                  .case_ = text,
                  .value = 1e3 * reference.median,
                  .unit = "ms",
                  .rounds = rounds,
                  .spread = 1e3 * reference.spread});
      report.add({.name = std::string(name) + ", .pt2",
                  .case_ = text,
                  .value = 1e3 * value.median,
                  .unit = "ms",
                  .reference = "built in",
                  .ratio = value.median / reference.median,
                  .rounds = rounds,
                  .spread = 1e3 * value.spread});
    }
  }
  report.finish();
}

}  // namespace
}  // namespace qbitopt

int main(int argc, char** argv) {
  std::vector<std::string> files(argv + 1, argv + argc);
  int rounds = 21;
  if (!files.empty() && !qbitopt::names_graph_file(files.back())) {
    rounds = std::atoi(files.back().c_str());
    files.pop_back();
  }
  if (files.empty() || rounds < 1) {
    std::cerr << "usage: graph_step resnet18.pt2 [MORE.pt2 ...] [rounds]\n"
                 "Each file has the name of a built-in network.\n";
    return 2;
  }
  qbitopt::run(files, rounds);
}
