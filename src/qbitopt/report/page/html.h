#pragma once

// Internal to the report.

#include <string>
#include <string_view>

#include "qbitopt/core/json.h"

namespace qbitopt {

// Text as HTML, in an element or in an attribute's quotes. Control characters are left out.
std::string escaped(std::string_view text);

// JSON that may stand in a <script>: without `<`, and valid UTF-8 whatever a log holds.
std::string json_for_page(const Json& json);

// base64 of SHA-256, as a content security policy names a script.
std::string script_hash(std::string_view script);

// A block of code with a button that copies it.
std::string code_block(std::string_view code);
// The same behind a line to open it.
std::string folded_code(std::string_view title, std::string_view code);

}  // namespace qbitopt
