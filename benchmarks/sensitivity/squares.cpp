#include "benchmarks/sensitivity/squares.h"

#include "qbitopt/quant/kernels/kernels.inc"

namespace qbitopt::kernels {

#ifdef QBITOPT_WITHOUT_SQUARES
const Kernels kWithoutSquares = {"without squares", forward_any, backward_any, squared_error};
#else
const Kernels kWithSquares = {"with squares", forward_any, backward_any, squared_error};
#endif

}  // namespace qbitopt::kernels
