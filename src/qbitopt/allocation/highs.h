#pragma once

#include <limits>
#include <string>
#include <vector>

namespace qbitopt {

// A mixed-integer linear program: minimize cost * x subject to
//
//   row_lower <= A x <= row_upper,  lower <= x <= upper
struct LinearProgram {
  std::vector<double> cost, lower, upper;  // per column
  std::vector<char> is_integer;            // per column
  std::vector<double> row_lower, row_upper;
  std::vector<int> row_start = {0};  // A by rows: entries row_start[i] .. row_start[i + 1] - 1
  std::vector<int> column;
  std::vector<double> value;

  int add_column(double column_cost, double column_upper, bool integer);
  // Ends the row whose entries were appended to `column` and `value`.
  void end_row(double from, double to);
};

// HiGHS by its C interface (the C++ symbols of its packages use another string ABI). The library is
// loaded on first use (15 ms), from QBITOPT_HIGHS if that is set, else from the highsbox package in
// the project's .venv or the active virtual environment, else from the system.
class Highs {
 public:
  struct Options {
    double time_limit_seconds = 10;
    double tolerance = 1e-9;    // of feasibility and integrality
    std::vector<double> start;  // a point to start from; empty: none
  };
  struct Answer {
    bool is_proven = false;  // `x` is optimal, in floating point
    std::vector<double> x;   // empty: none found
    double bound = -std::numeric_limits<double>::infinity();
  };

  // Throws InputError, saying where it looked and how to get it, if the library is not there.
  static Answer solve(const LinearProgram& program, const Options& options);

  // Empty if the library can be loaded; else that message.
  static std::string why_missing();
};

}  // namespace qbitopt
