#pragma once

// Internal to the report.

namespace qbitopt {

// The columns of a table whose definition names none: accuracy, bits, and the difference to other
// rows. clang-format off
inline constexpr const char* kStandardColumns = R"(
budget:    {show: axis, of: budget.average_bits, title: bits allowed}
method:    {show: label}
top1:      {show: mean, of: top1, title: "top-1, %", digits: 2, deviation: true, best: max}
n:         {show: seeds}
bits:      {show: mean, of: [weight_bits, activation_bits], title: "bits W / A", digits: 2}
all_bits:  {show: mean, of: [weight_bits_all_tensors, activation_bits_all_tensors], title: "with pinned W / A", digits: 2}
size:      {show: mean, of: weight_bytes, title: "weights, kB", scale: 0.001, digits: 1}
met:       {show: met, title: budget}
vs_fixed:  {show: difference, of: top1, to: fixed, title: against fixed, digits: 2}
vs_fp32:   {show: difference, of: top1, to: continued, title: against fp32, digits: 2}
runs:      {show: runs}
hours:     {show: hours, digits: 2}
)";
// clang-format on

}  // namespace qbitopt
