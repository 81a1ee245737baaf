#include "qbitopt/sensitivity/sensitivity.h"

#include <algorithm>

namespace qbitopt {

bool CostTable::is_zero() const {
  return std::all_of(costs.begin(), costs.end(), [](const std::vector<double>& row) {
    return std::all_of(row.begin(), row.end(), [](double cost) { return cost == 0; });
  });
}

}  // namespace qbitopt
