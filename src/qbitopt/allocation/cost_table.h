#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "qbitopt/allocation/problem.h"

namespace qbitopt {

// An allocation problem as people write it down, one row per quantizer and candidate:
//
//   quantizer,group,weight,bits,cost
//   conv1.weight,W,864,2,0.31
//   conv1.weight,W,864,4,0.012
//   conv1.input,A,12544,4,0.2
//
//   weight  share in the group's average, a whole number: elements, 1 or MACs; the same in all
//           rows of a quantizer; 864.0, as pandas writes it, is whole
//   bits    1 to 64; rows in any order
//   cost    any number; inf forbids the candidate
//
// For bit operations two columns more, the same in all rows of a quantizer:
//
//   layer   pairs the two quantizers of a layer, its weight and its input; several layers with ';'
//           between them for an input that they share; empty: no part of any
//   macs    multiply-accumulates of the layer; empty where another row of the layer says it
struct AllocationTable {
  struct Group {
    std::string name;
    std::vector<int> members;  // indices into quantizers
  };
  std::vector<AllocationQuantizer> quantizers;  // in the order in which they are first named
  std::vector<Group> groups;
  bool has_layers = false;  // the column is there
  std::vector<BopsBudget::Pair> layers;

  // `file` is for messages. Throws InputError with file, line and column; every quantizer has a
  // candidate that is not forbidden afterwards.
  static AllocationTable parse(std::string_view csv, const std::string& file);
};

}  // namespace qbitopt
