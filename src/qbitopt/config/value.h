#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "qbitopt/config/manifest.h"

namespace qbitopt {

// "bool", "int", "float", "decimal", "string", "path", "choice", or "list of ..." one of these.
bool is_value_type(const std::string& type);

// `value` as a value of this parameter: 4.0 is 4 for an int, 4 is 4.0 for a float, decimals and
// floats written with more than 17 digits mean the nearest double. A part's kind takes a text.
// Throws InputError ("expects an int, found the text 'many'"; "must be at least 1, found 0")
// without place and without the parameter's name.
Json normalized(const ParameterSpec& spec, const Json& value);

// The whole number that `value` is: 3, or 3.0 up to 2^53, beyond which a double no longer says
// which number was meant. Nullopt if it is no whole number of 64 bits.
std::optional<int64_t> whole_number(const Json& value);

// "~/imagenet" and "~" begin at the home folder, as in a shell; any other path is as it is. Throws
// InputError for "~name/...", and if there is no home folder.
std::string with_home(const std::string& path);

// Rounded to 12 significant digits, so that 0.1 + 0.2 is 0.3.
double rounded(double value);

// "3", "'abc'", "[2, 4, 8]": a value as messages show it.
std::string shown(const Json& value);

}  // namespace qbitopt
