#pragma once

#include <string>

namespace qbitopt {

// The metric of a sweep. A table whose definition names no columns shows this metric, compares it
// and prints its best value in bold; a claim that names no column is about it.
struct Objective {
  std::string name = "top1";
  std::string goal = "max";   // "max" | "min"
  std::string rule = "last";  // which value of a run counts
};

}  // namespace qbitopt
