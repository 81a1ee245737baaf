#pragma once

#include "qbitopt/config/catalog.h"

namespace qbitopt {

// A small world with the shapes of the real one: methods fp32, fixed_precision, qbitopt, fracbits
// and replay, three models, a data set without files, four sensitivities, three solvers.
const Catalog& small_catalog();

// The same with another manifest in place of the data set.
Catalog catalog_with_data(const std::string& data_manifest);

}  // namespace qbitopt
