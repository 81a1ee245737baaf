// Reads a text as a sweep file and plans it. Ends the program if a mistake in the text is anything but
// an InputError, or if a job stands twice in the plan.
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>

#include "core/temporary_folder.h"
#include "qbitopt/core/error.h"
#include "qbitopt/sweep/sweep_file.h"

namespace qbitopt {
namespace {

// A plan of a million jobs is no mistake, but takes longer than a fuzzer waits.
bool may_be_large(const std::string& text) {
  size_t digits = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    digits = std::isdigit(static_cast<unsigned char>(text[i])) ? digits + 1 : 0;
    const bool is_exponent = digits > 0 && i + 1 < text.size() && (text[i + 1] | 0x20) == 'e';
    if (digits > 3 || is_exponent || text.compare(i, 2, "0x") == 0) return true;
  }
  return false;
}

void try_sweep(const std::string& text) {
  static const TemporaryFolder folder;
  const auto file = folder.write("sweep.yaml", text);
  try {
    const Sweep sweep(file, {}, builtin_catalog());
    if (may_be_large(text)) return;
    std::set<std::string> keys;
    for (const PlannedJob& job : sweep.plan().jobs) {
      if (!keys.insert(job.key).second) std::abort();
      to_json(job);
    }
  } catch (const InputError&) {
  }
}

}  // namespace
}  // namespace qbitopt

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  qbitopt::try_sweep({reinterpret_cast<const char*>(data), size});
  return 0;
}
