#pragma once

#include <string>

namespace qbitopt::testing {

// One fp32 run, which the others need, and fixed_precision at each of these bits with 3 seeds.
inline std::string small_sweep(const std::string& bits) {
  return R"(qbitopt: 1
name: small
set: {model: resnet8, data.name: synthetic, pretraining.steps: 10, training.steps: 10}
seeds: 3
cases:
  fp32: {set: {method: fp32, seed: 0}}
  fixed: {set: {method: fixed_precision}, grid: {budget.average_bits: [)" +
         bits + "]}}\n";
}

// 10 jobs.
inline const std::string kSmallSweep = small_sweep("2, 3, 4");

}  // namespace qbitopt::testing
