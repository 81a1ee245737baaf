#include "qbitopt/quant/kernels/kernels.h"

namespace qbitopt::kernels {

#if defined(__x86_64__)
extern const Kernels kAvx512;
extern const Kernels kAvx2;
#endif
extern const Kernels kBaseline;

const std::vector<Kernels>& available_kernels() {
  static const std::vector<Kernels> kernels = [] {
    std::vector<Kernels> found;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f")) found.push_back(kAvx512);
    if (__builtin_cpu_supports("avx2")) found.push_back(kAvx2);
#endif
    found.push_back(kBaseline);
    return found;
  }();
  return kernels;
}

}  // namespace qbitopt::kernels
