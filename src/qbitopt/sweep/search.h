#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "qbitopt/config/catalog.h"
#include "qbitopt/config/yaml.h"
#include "qbitopt/sweep/settings.h"

namespace qbitopt {

// Methods that punish bits instead of counting them meet a budget only at the right strength. This
// finds it as their users do by hand, with a number of runs that is stated:
//
//   search: {parameter: fracbits.kappa, scale: log, from: 0.01, to: 100, until: within_budget,
//            slack: 0.05, max_runs: 6}
//
// More of the parameter must mean fewer bits. `trials: {training.epochs: 4}` changes the runs of the
// search alone, not those with the strength it finds: a shorter search for long trainings.
struct Search {
  std::string parameter;
  bool in_logarithm = true;  // scale: log | linear
  double from = 0;
  double to = 0;
  double slack = 0.05;  // bits below the budget that still count as having met it
  int max_runs = 6;     // the start included
  Settings trials;      // what the runs of the search have of their own
  Place place;
};

// Throws InputError at what is wrong: an unknown word, a parameter that is no float, ends in the
// wrong order.
Search read_search(const YamlNode& node, const Catalog& catalog);

// What a search wants to know of a run that is over.
struct TrialResult {
  bool has_failed = false;
  // Bits by which the budget that stands worst is exceeded; negative: bits left.
  double excess = 0;
  double validation_top1 = 0;  // percent, on held-out training images
};
// Of the job with this key; nothing while it is not over.
using TrialResults = std::function<std::optional<TrialResult>(const std::string& key)>;

// The strengths that a search tries, one after another: the start, then the middle of what is left
// between the strongest that left too many bits and the weakest that left too few. Over when a run
// ends with -slack <= excess <= 0, after max_runs, or when the middle, which is rounded to 3
// digits, was tried already.
class Bisection {
 public:
  Bisection(const Search& search, double start);

  // What to try next; nothing when the search is over.
  std::optional<double> next() const { return next_; }
  // The result of next().
  void add(const TrialResult& result);

  // Did a run meet the budget?
  bool has_found() const;
  // The one that met the budget, which ends the search; if none has, the one that came nearest, of
  // two equally near the better on held-out images. Nothing while no run is over, or after a failed
  // one.
  std::optional<double> chosen() const;
  int runs() const { return static_cast<int>(tried_.size()); }

 private:
  struct Tried {
    double value;
    TrialResult result;
    // Bits to where the budget is met: 0 if it is.
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
