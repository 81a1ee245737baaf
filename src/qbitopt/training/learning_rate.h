#pragma once

#include <cstdint>

#include "qbitopt/training/recipe.h"

namespace qbitopt {

// The factor on every learning rate at one step (from 0) of a schedule over `steps` steps. Linear
// warm-up to 1, then with t from 0 to 1 over the steps that remain
//
//   cosine      e + (1 - e) (1 + cos(pi t)) / 2     (Loshchilov and Hutter, 2017, arXiv 1608.03983)
//   polynomial  e + (1 - e) (1 - t)^power           (Chen et al., 2018, arXiv 1606.00915: "poly")
//   step        gamma^n, n milestones passed; a milestone is a fraction of `steps`, warm-up included
//   constant    1
//
// e: end_factor.
double learning_rate_factor(const Recipe& recipe, int64_t step, int64_t steps);

// Half a cosine from `first` at step 0 to `last` at `steps`, and `last` after that.
double cosine_between(double first, double last, int64_t step, int64_t steps);

}  // namespace qbitopt
