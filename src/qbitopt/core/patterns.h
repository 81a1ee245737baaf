#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace qbitopt {

// Whether the whole name fits the pattern, in which '*' stands for any text, also none and also
// with dots, and '?' for one letter.
bool matches(std::string_view pattern, std::string_view name);
bool matches_any(const std::vector<std::string>& patterns, std::string_view name);

// The first pattern that no name fits, with the names that fit it best: "'haed.*' fits no
// quantizer; near: head.input, head.weight". Empty if each fits one. `kind`: of the names.
std::string unmatched_pattern(std::string_view kind, const std::vector<std::string>& patterns,
                              const std::vector<std::string>& names);

}  // namespace qbitopt
