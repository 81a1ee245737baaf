// libFuzzer's entry: `make fuzz`.
#include <cstddef>
#include <cstdint>

#include "allocation/fuzz/target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  qbitopt::test::try_cost_table({reinterpret_cast<const char*>(data), size});
  return 0;
}
