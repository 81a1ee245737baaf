#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace qbitopt {

// Numbers as people write them, in files and on command lines alike. Nothing if the text is none.

// A whole number in any decimal form: "864", "-3", "864.0", "3e6". Nothing beyond 64 bits.
std::optional<int64_t> parse_whole(std::string_view text);

// A count from `least` to `most`.
std::optional<int> parse_count(std::string_view text, int least, int most = INT32_MAX);

// Seconds of a time: "90s", "30m", "1.5h", "2d", or a number of seconds. From 0 to 100 years.
std::optional<double> parse_seconds(std::string_view text);

}  // namespace qbitopt
