#include "qbitopt/sensitivity/quant_mse.h"

#include "qbitopt/sensitivity/candidate_errors.h"

namespace qbitopt {

CostTable QuantMse::measure(SensitivityContext& context, const UniformQuantizers& quantizers,
                            Stage stage) {
  CostTable table{.unit = "squared unit of the tensor"};
  for (TensorError& error :
       candidate_errors(context, quantizers, stage, first_samples(context, 0))) {
    table.costs.push_back(std::move(error.mean_squares));
  }
  return table;
}

}  // namespace qbitopt
