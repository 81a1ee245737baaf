#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace qbitopt {

// Place of the first byte that is not UTF-8; nothing if all are.
std::optional<size_t> first_invalid_utf8(std::string_view text);

// Throws InputError that names the encoding and how to change it, unless `text` is UTF-8; `file` is
// for the message.
void expect_utf8(std::string_view text, const std::string& file);

// Text for a person's screen: control characters and bytes that are not UTF-8 become escapes (\n,
// \x1b), so that no name moves a cursor or changes a color. Those in `kept` stay.
std::string printable(std::string_view text, std::string_view kept = "");

}  // namespace qbitopt
