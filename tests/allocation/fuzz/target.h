#pragma once

#include <string_view>

namespace qbitopt::test {

// What the fuzzer tries with every text, and a test with its corpus: reads it as a table of costs,
// solves it, and ends the program if a mistake in the text is not an InputError with its place, or
// if an answer breaks a budget or its bound.
void try_cost_table(std::string_view text);

}  // namespace qbitopt::test
