#include "benchmarks/allocation/instances.h"

#include <cmath>
#include <numeric>

#include "qbitopt/core/random.h"

namespace qbitopt::bench {
namespace {

int64_t random_channels(Random& random) {
  return 8 * static_cast<int64_t>(std::pow(2.0, 8 * random.uniform()));
}

int64_t random_parameters(Random& random) {
  const int64_t in = random_channels(random);
  const int64_t out = random_channels(random);
  switch (random.below(3)) {
    case 0:
      return out * 9;  // depthwise
    case 1:
      return in * out;
    default:
      return in * out * 9;
  }
}

}  // namespace

std::array<int64_t, 53> resnet50_weights() {
  std::array<int64_t, 53> weights{64 * 3 * 7 * 7};
  size_t count = 1;
  int64_t in = 64;
  const int blocks[] = {3, 4, 6, 3};
  for (int stage = 0; stage < 4; ++stage) {
    const int64_t width = int64_t{64} << stage;
    for (int block = 0; block < blocks[stage]; ++block) {
      for (const int64_t weight : {in * width, width * width * 9, width * width * 4}) {
        weights[count++] = weight;
      }
      if (block == 0) weights[count++] = in * width * 4;  // the shortcut
      in = width * 4;
    }
  }
  return weights;
}

Problem make_instance(const InstanceKind& kind, int quantizers, int index) {
  Random random(static_cast<uint64_t>(index), kind.name, static_cast<uint64_t>(quantizers));
  const std::array<int64_t, 53> resnet50 = resnet50_weights();
  Problem problem;
  problem.quantizers.reserve(quantizers);
  for (int q = 0; q < quantizers; ++q) {
    AllocationQuantizer quantizer{"q" + std::to_string(q), 1, {2, 3, 4, 5, 6, 7, 8}, {}};
    if (kind.weights == Weights::kParameters) {
      quantizer.weight = quantizers == 53 ? resnet50[q] : random_parameters(random);
    }
    const double sensitivity = std::pow(10.0, 4 * random.uniform() - 2);
    for (const int bits : quantizer.bits) {
      const double u = std::exp2(bits) - 1;
      quantizer.costs.push_back(kind.costs == Costs::kConvex ? sensitivity / (u * u)
                                                             : sensitivity / u * random.uniform());
    }
    problem.quantizers.push_back(std::move(quantizer));
  }
  Budget budget{"W", std::vector<int>(quantizers), {}};
  std::iota(budget.members.begin(), budget.members.end(), 0);
  budget.average_bits = {static_cast<int64_t>(250 + random.below(351)), 2};
  problem.budgets.push_back(std::move(budget));
  return problem;
}

}  // namespace qbitopt::bench
