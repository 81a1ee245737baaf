#include "qbitopt/quant/kernels/batch_norm.inc"
#include "qbitopt/quant/kernels/kernels.inc"

namespace qbitopt::kernels {

extern const Kernels kBaseline;
const Kernels kBaseline = {"baseline", forward_any, backward_any, squared_error, kBatchNormKernels};

}  // namespace qbitopt::kernels
