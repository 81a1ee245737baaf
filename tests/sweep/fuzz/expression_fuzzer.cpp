// Reads a text as a condition of `when` and asks it. Ends the program if a mistake in it is anything
// but an InputError with its place.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

#include "qbitopt/core/error.h"
#include "qbitopt/sweep/expression.h"

namespace qbitopt {
namespace {

void try_expression(const std::string& text) {
  const auto source = std::make_shared<SourceText>(SourceText{"f.yaml", {"if: " + text}});
  YamlNode node;
  node.place = {source, 1, 5};
  node.scalar = text;
  try {
    const Expression expression = Expression::parse(node);
    const Json values[] = {Json(), Json(true), Json(3), Json("exact")};
    for (const Json& value : values)
      expression.holds([&](const std::string&) -> const Json& { return value; });
    for (const auto& [key, offset] : expression.keys()) {
      if (text.compare(offset, key.size(), key) != 0) std::abort();
      place_in_text(node, offset);
    }
  } catch (const InputError& error) {
    if (!std::string(error.what()).starts_with("f.yaml:1:")) std::abort();
  }
}

}  // namespace
}  // namespace qbitopt

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  qbitopt::try_expression({reinterpret_cast<const char*>(data), size});
  return 0;
}
