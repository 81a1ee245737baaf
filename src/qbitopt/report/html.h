#pragma once

#include <string>

namespace qbitopt {

// Text as it stands in an HTML document or within a quoted attribute.
std::string html_escaped(const std::string& text);

}  // namespace qbitopt
