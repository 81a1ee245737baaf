#include "qbitopt/schedule/executors/thread_environment.h"

namespace qbitopt {

std::map<std::string, std::string> thread_environment(int threads) {
  const std::string count = std::to_string(threads);
  return {{"OMP_NUM_THREADS", count},
          {"MKL_NUM_THREADS", count},
          {"OPENBLAS_NUM_THREADS", count},
          {"OMP_WAIT_POLICY", "PASSIVE"},
          {"OMP_DYNAMIC", "FALSE"}};
}

}  // namespace qbitopt
