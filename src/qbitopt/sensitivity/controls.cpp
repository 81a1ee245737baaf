#include "qbitopt/sensitivity/controls.h"

#include <cmath>

#include "qbitopt/core/random.h"

namespace qbitopt {
namespace {

std::vector<double> falling_row(const Quantizer& quantizer, double scale) {
  std::vector<double> row;
  for (const int bits : quantizer.spec().candidate_bits) {
    const double steps = std::exp2(bits) - 1;
    row.push_back(scale / (steps * steps));
  }
  return row;
}

}  // namespace

CostTable UniformSensitivity::estimate(SensitivityContext& context) {
  CostTable table{.unit = "1"};
  for (const QuantizerPtr& quantizer : context.quantizers) {
    table.costs.push_back(falling_row(*quantizer, 1));
  }
  return table;
}

CostTable RandomSensitivity::estimate(SensitivityContext& context) {
  CostTable table{.unit = "1"};
  Random random(context.seed, "sensitivity.random", static_cast<uint64_t>(context.step));
  for (const QuantizerPtr& quantizer : context.quantizers) {
    table.costs.push_back(
        falling_row(*quantizer, std::pow(10, decades_ * (random.uniform() - 0.5))));
  }
  return table;
}

}  // namespace qbitopt
