// Reads a text as the definition of a table. Ends the program if a mistake in it is anything but an
// InputError with its place.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "qbitopt/core/error.h"
#include "qbitopt/report/table_definition.h"

namespace qbitopt {
namespace {

void try_definition(const std::string& text) {
  try {
    const TableDefinition definition = parse_table_definition("f.yaml", text);
    if (definition.columns.empty() && !definition.has_own_columns) std::abort();
    for (const ClaimDefinition& claim : definition.claims) {
      if (!definition.find_row(claim.better) || !definition.find_row(claim.than)) std::abort();
    }
  } catch (const InputError& error) {
    if (!std::string(error.what()).starts_with("f.yaml:")) std::abort();
  }
}

}  // namespace
}  // namespace qbitopt

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  qbitopt::try_definition({reinterpret_cast<const char*>(data), size});
  return 0;
}
