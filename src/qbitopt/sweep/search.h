#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "qbitopt/config/catalog.h"
#include "qbitopt/config/yaml.h"
#include "qbitopt/sweep/settings.h"

namespace qbitopt {

// Methods that penalize bits instead of limiting them meet a budget only at the right strength. A
// search finds it as users would by hand, with a stated number of runs:
//
//   search: {parameter: fracbits.kappa, scale: log, from: 0.01, to: 100, until: within_budget,
//            slack: 0.05, max_runs: 6}
//
// More of the parameter must mean fewer bits. `trials: {training.epochs: 4}` changes only the runs
// of the search, not those with the strength that it finds. This shortens the search if training is
// long.
struct Search {
  std::string parameter;
  bool in_logarithm = true;  // scale: log | linear
  double from = 0;
  double to = 0;
  double slack = 0.05;  // [bits] a run this far below the budget has met it
  int max_runs = 6;     // including the first one
  Settings trials;      // for the runs of the search only
  Place place;
};

// Throws InputError at an unknown word, a parameter that is not a float, or ends in the wrong
// order.
Search read_search(const YamlNode& node, const Catalog& catalog);

// The results of a finished run that a search uses.
struct TrialResult {
  bool has_failed = false;
  // Bits above the budget that is exceeded most; negative: bits left.
  double excess = 0;
  double validation_top1 = 0;  // percent, on held-out training images
};
// The results of the job with this key; nullopt until it has finished or failed.
using TrialResults = std::function<std::optional<TrialResult>(const std::string& key)>;

// The strengths that a search tries, one after another: the start, then the middle between the
// strongest one that left too many bits and the weakest one that left too few. The search ends when
// a run has -slack <= excess <= 0, after max_runs, or when the middle, rounded to 3 digits, was
// tried already.
class Bisection {
 public:
  Bisection(const Search& search, double start);

  // The strength to try next; nullopt when the search has ended.
  std::optional<double> next() const { return next_; }
  // The result of next().
  void add(const TrialResult& result);

  // Whether a run met the budget.
  bool has_found() const;
  // The strength that met the budget. If none did, the one that came nearest; of two that are
  // equally near, the more accurate one on held-out images. Nullopt before the first run has ended,
  // and after a failed run.
  std::optional<double> chosen() const;
  int runs() const { return static_cast<int>(tried_.size()); }

 private:
  struct Tried {
    double value;
    TrialResult result;
    // Distance from meeting the budget, in bits; 0: it is met.
    double distance;
  };
  double middle() const;

  const Search search_;
  double weak_;    // leaves too many bits, or was never tried
  double strong_;  // leaves too few
  std::optional<double> next_;
  std::vector<Tried> tried_;
  bool has_failed_ = false;
};

}  // namespace qbitopt
