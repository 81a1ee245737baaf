#if !defined(__AVX512F__)
#error "this file must be compiled for its instruction set: see CMakeLists.txt"
#endif

#include "qbitopt/quant/kernels/batch_norm.inc"
#include "qbitopt/quant/kernels/kernels.inc"

namespace qbitopt::kernels {

extern const Kernels kAvx512;
const Kernels kAvx512 = {"avx512", forward_any, backward_any, squared_error, kBatchNormKernels};

}  // namespace qbitopt::kernels
