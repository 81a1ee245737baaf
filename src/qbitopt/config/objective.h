#pragma once

#include <string>

namespace qbitopt {

// The number that the sweep is about: what a table shows, compares and prints bold where its
// definition names no columns, and what its claims are about where they say nothing else.
struct Objective {
  std::string name = "top1";
  std::string goal = "max";   // "max" | "min"
  std::string rule = "last";  // which value of a run counts
};

}  // namespace qbitopt
