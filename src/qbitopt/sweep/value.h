#pragma once

#include <string>

#include "qbitopt/sweep/manifest.h"

namespace qbitopt {

// "bool", "int", "float", "decimal", "string", "choice", or "list of ..." one of these.
bool is_value_type(const std::string& type);

// `value` as a value of this parameter: 4.0 is 4 for an int, 4 is 4.0 for a float, decimals and
// floats written with more than 17 digits mean the nearest double. A part's kind takes a text.
// Throws InputError ("expects an int, found the text 'many'"; "must be at least 1, found 0")
// without place and without the parameter's name.
Json normalized(const ParameterSpec& spec, const Json& value);

// Rounded to 12 significant digits, so that 0.1 + 0.2 is 0.3.
double rounded(double value);

// "3", "'abc'", "[2, 4, 8]": a value as messages show it.
std::string shown(const Json& value);

}  // namespace qbitopt
