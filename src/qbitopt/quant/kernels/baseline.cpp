#include "qbitopt/quant/kernels/kernels.inc"

namespace qbitopt::kernels {

extern const Kernels kBaseline;
const Kernels kBaseline = {"baseline", forward_any, backward_any, squared_error};

}  // namespace qbitopt::kernels
