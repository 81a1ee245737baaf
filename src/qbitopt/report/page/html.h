#pragma once

// Internal to the report.

#include <string>
#include <string_view>

#include "qbitopt/core/json.h"

namespace qbitopt {

// Escapes text for an HTML element or a quoted attribute. Control characters are removed.
std::string escaped(std::string_view text);

// JSON that is safe inside a <script>: without `<`, and valid UTF-8 whatever a log contains.
std::string json_for_page(const Json& json);

// The SHA-256 in base64 by which a content security policy names a script.
std::string script_hash(std::string_view script);

// A block of code with a button that copies it.
std::string code_block(std::string_view code);
// The same, folded below a line that opens it.
std::string folded_code(std::string_view title, std::string_view code);

}  // namespace qbitopt
