#include "qbitopt/sensitivity/sqnr.h"

#include "qbitopt/sensitivity/candidate_errors.h"

namespace qbitopt {

CostTable Sqnr::measure(SensitivityContext& context, const UniformQuantizers& quantizers,
                        Stage stage) {
  CostTable table{.unit = "1"};
  for (const TensorError& error :
       candidate_errors(context, quantizers, stage, first_samples(context, 0))) {
    std::vector<double>& row = table.costs.emplace_back();
    for (const double noise : error.mean_squares) {
      row.push_back(error.power > 0 ? noise / error.power : 0);
    }
  }
  return table;
}

}  // namespace qbitopt
