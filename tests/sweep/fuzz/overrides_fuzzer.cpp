// Reads each line of a text as an override of a small sweep. Ends the program if a mistake in one is
// anything but an InputError.
#include <cstddef>
#include <cstdint>
#include <sstream>
#include <string>
#include <vector>

#include "core/temporary_folder.h"
#include "qbitopt/core/error.h"
#include "qbitopt/sweep/document.h"
#include "qbitopt/sweep/overrides.h"

namespace qbitopt {
namespace {

constexpr const char* kSweep = R"(qbitopt: 1
name: small
set: {model: resnet8, data.name: synthetic, training.steps: 5, pretraining.steps: 5}
seeds: 2
cases:
  fp32: {set: {method: fp32}, seeds: 1}
  qbitopt:
    set: {method: qbitopt}
    grid: {budget.average_bits: [3, 4], solver: [exact, milp]}
    zip: {pair: {training.batch_size: [8, 16], training.learning_rate: [0.1, 0.2]}}
    when: [{if: solver == 'exact', set: {training.steps: 9}}]
    include: [{sensitivity: uniform, budget.average_bits: 5}]
run: {jobs: 2, retries: {lost: 1}}
)";

void try_overrides(const std::string& text) {
  static const TemporaryFolder folder;
  static const Document document =
      read_document(folder.write("sweep.yaml", kSweep), builtin_catalog());
  std::vector<std::string> overrides;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) overrides.push_back(line);
  Document changed = document;
  try {
    apply_overrides(changed, overrides, builtin_catalog());
  } catch (const InputError&) {
  }
}

}  // namespace
}  // namespace qbitopt

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  qbitopt::try_overrides({reinterpret_cast<const char*>(data), size});
  return 0;
}
