#pragma once

#include <array>
#include <string>

#include "qbitopt/allocation/problem.h"

namespace qbitopt::bench {

enum class Costs {
  kConvex,  // FIT: S / (2^b - 1)^2
  kTable    // S / (2^b - 1) times a random number in [0, 1): neither convex nor monotone
};
enum class Weights { kEqual, kParameters };

// What an allocation problem looks like. Sensitivities S are log-uniform over four decades,
// whatever the weight (the norm of a layer's gradient does not grow with its size).
struct InstanceKind {
  const char* name;
  Costs costs;
  Weights weights;
};
inline constexpr std::array<InstanceKind, 4> kInstanceKinds = {
    {{"convex, equal weights", Costs::kConvex, Weights::kEqual},
     {"convex, parameter weights", Costs::kConvex, Weights::kParameters},
     {"tables, equal weights", Costs::kTable, Weights::kEqual},
     {"tables, parameter weights", Costs::kTable, Weights::kParameters}}};

// Instance number `index` of a kind: bits 2 .. 8, one budget "W" with an average of 2.5 to 6 bits
// in hundredths. Parameter weights are those of random convolutions (1x1, 3x3, depthwise) of 8 to
// 2048 channels; at 53 quantizers those of ResNet-50.
Problem make_instance(const InstanceKind& kind, int quantizers, int index);

// Parameter counts of ResNet-50's 53 convolutions.
std::array<int64_t, 53> resnet50_weights();

}  // namespace qbitopt::bench
