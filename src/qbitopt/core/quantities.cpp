#include "qbitopt/core/quantities.h"

#include <charconv>
#include <cmath>
#include <string>
#include <utility>

namespace qbitopt {
namespace {

constexpr double kLongestSeconds = 100 * 365.25 * 86400;

// A number and what follows it.
std::optional<std::pair<double, std::string_view>> leading_number(std::string_view text) {
  double value = 0;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, value);
  if (error != std::errc() || !std::isfinite(value)) return std::nullopt;
  return std::pair(value, std::string_view(end, static_cast<size_t>(last - end)));
}

std::optional<int64_t> integer(std::string_view text) {
  int64_t value = 0;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, value);
  return error == std::errc() && end == last ? std::optional(value) : std::nullopt;
}

}  // namespace

std::optional<int64_t> parse_whole(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(text.starts_with("+-") ? 0 : 1);
  // "864.0" exactly, however long.
  const size_t point = text.find('.');
  if (point != std::string_view::npos && point > 0 &&
      text.find_first_not_of('0', point + 1) == std::string_view::npos)
    return integer(text.substr(0, point));
  if (const auto value = integer(text)) return value;
  constexpr double kExact = 9007199254740992.0;  // 2^53
  const auto number = leading_number(text);
  if (!number || !number->second.empty() || std::abs(number->first) > kExact ||
      std::trunc(number->first) != number->first)
    return std::nullopt;
  return static_cast<int64_t>(number->first);
}

std::optional<int> parse_count(std::string_view text, int least, int most) {
  const auto value = parse_whole(text);
  if (!value || *value < least || *value > most) return std::nullopt;
  return static_cast<int>(*value);
}

std::optional<double> parse_seconds(std::string_view text) {
  static constexpr std::pair<std::string_view, double> kUnits[] = {
      {"", 1}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}};
  const auto number = leading_number(text);
  if (!number) return std::nullopt;
  for (const auto& [unit, length] : kUnits) {
    if (number->second != unit) continue;
    const double seconds = number->first * length;
    return seconds >= 0 && seconds <= kLongestSeconds ? std::optional(seconds) : std::nullopt;
  }
  return std::nullopt;
}

}  // namespace qbitopt
