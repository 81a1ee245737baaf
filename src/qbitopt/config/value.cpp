#include "qbitopt/config/value.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <set>

#include "qbitopt/core/error.h"
#include "qbitopt/core/names.h"

namespace qbitopt {
namespace {

const std::set<std::string> kScalarTypes = {"bool",   "int",  "float", "decimal",
                                            "string", "path", "choice"};
constexpr std::string_view kListOf = "list of ";

std::string with_article(const std::string& type) { return (type == "int" ? "an " : "a ") + type; }

[[noreturn]] void fail_type(const std::string& type, const Json& value) {
  throw InputError("expects " + with_article(type) + ", found " + shown(value));
}

int64_t to_int(const Json& value) {
  if (const std::optional<int64_t> number = whole_number(value)) return *number;
  if (value.is_number_unsigned())
    throw InputError("expects an int of at most 64 bits, found " + shown(value));
  fail_type("int", value);
}

double to_float(const Json& value) {
  if (!value.is_number()) fail_type("float", value);
  const double number = value.get<double>();
  if (!std::isfinite(number)) throw InputError("expects a finite number, found " + shown(value));
  if (std::abs(number) > std::numeric_limits<float>::max())
    throw InputError("expects a number that float32 can hold, found " + shown(value));
  return number == 0 ? 0 : number;  // no negative zero
}

void check_range(const ParameterSpec& spec, double number, const Json& value) {
  const std::string unit = spec.unit.empty() ? "" : " " + spec.unit;
  if (spec.minimum && number < *spec.minimum) {
    throw InputError("must be at least " + shown(*spec.minimum) + unit + ", found " + shown(value));
  }
  if (spec.maximum && number > *spec.maximum) {
    throw InputError("must be at most " + shown(*spec.maximum) + unit + ", found " + shown(value));
  }
}

Json normalized_scalar(const ParameterSpec& spec, const std::string& type, const Json& value) {
  if (type == "int") {
    const int64_t number = to_int(value);
    check_range(spec, static_cast<double>(number), value);
    return number;
  }
  if (type == "float" || type == "decimal") {
    const double number = to_float(value);
    check_range(spec, number, value);
    return type == "decimal" ? rounded(number) : number;
  }
  if (type == "bool") {
    if (!value.is_boolean()) throw InputError("expects true or false, found " + shown(value));
    return value;
  }
  if (!value.is_string()) {
    const bool is_word = value.is_boolean() || value.is_null();
    throw InputError("expects a string, found " + shown(value) +
                     (is_word ? "; put it in quotes" : ""));
  }
  if (type == "choice") {
    const std::string name = value.get<std::string>();
    if (std::find(spec.choices.begin(), spec.choices.end(), name) == spec.choices.end()) {
      throw InputError(unknown_name("choice", name, spec.choices));
    }
  }
  if (type == "path") return with_home(value.get<std::string>());
  return value;
}

}  // namespace

bool is_value_type(const std::string& type) {
  if (type.rfind(kListOf, 0) == 0) return kScalarTypes.count(type.substr(kListOf.size())) != 0;
  return kScalarTypes.count(type) != 0;
}

Json normalized(const ParameterSpec& spec, const Json& value) {
  if (spec.type.rfind(kListOf, 0) != 0) return normalized_scalar(spec, spec.type, value);
  const std::string element = spec.type.substr(kListOf.size());
  if (!value.is_array()) throw InputError("expects a " + spec.type + ", found " + shown(value));
  Json list = Json::array();
  for (const Json& item : value) list.push_back(normalized_scalar(spec, element, item));
  return list;
}

std::optional<int64_t> whole_number(const Json& value) {
  if (value.is_number_unsigned() &&
      value.get<uint64_t>() > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
    return std::nullopt;
  }
  if (value.is_number_integer()) return value.get<int64_t>();
  if (!value.is_number_float()) return std::nullopt;
  const double number = value.get<double>();
  if (number != std::floor(number) || !(std::fabs(number) <= 0x1p53)) return std::nullopt;
  return static_cast<int64_t>(number);
}

std::string with_home(const std::string& path) {
  if (!path.starts_with('~')) return path;
  if (path != "~" && !path.starts_with("~/")) {
    throw InputError("'" + path +
                     "': '~' stands for your own home folder only; write the path in "
                     "full, or ./" +
                     path + " for a file of that name");
  }
  const char* home = std::getenv("HOME");
  if (home == nullptr || *home == '\0') {
    throw InputError("'" + path +
                     "': there is no home folder (HOME is not set); write the path in "
                     "full");
  }
  return home + path.substr(1);
}

double rounded(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%.12g", value);
  return std::strtod(text, nullptr);
}

std::string shown(const Json& value) {
  if (value.is_null()) return "nothing";
  if (value.is_string()) return "'" + value.get<std::string>() + "'";
  if (value.is_number_float()) {
    const double number = value.get<double>();
    if (std::isnan(number)) return "NaN";
    if (std::isinf(number)) return number < 0 ? "-infinity" : "infinity";
    char text[40];
    const auto result = std::to_chars(text, text + sizeof text, number);
    return std::string(text, result.ptr);
  }
  if (value.is_array()) {
    std::string text = "[";
    for (size_t i = 0; i < value.size(); ++i) text += (i ? ", " : "") + shown(value[i]);
    return text + "]";
  }
  return value.dump();
}

}  // namespace qbitopt
