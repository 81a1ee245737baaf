#include "qbitopt/core/json.h"

#include <charconv>
#include <cmath>

#include "qbitopt/core/encoding.h"
#include "qbitopt/core/error.h"
#include "qbitopt/core/output_file.h"
#include "qbitopt/core/text_file.h"

template class nlohmann::basic_json<>;
template class nlohmann::detail::serializer<nlohmann::json>;
template class nlohmann::detail::parser<
    nlohmann::json, nlohmann::detail::iterator_input_adapter<std::string::const_iterator>>;
template class nlohmann::detail::lexer<
    nlohmann::json, nlohmann::detail::iterator_input_adapter<std::string::const_iterator>>;

namespace qbitopt {
namespace {

// Number::toString of ECMA-262: the shortest digits that read back as the same double.
std::string ecmascript_number(double value) {
  if (!std::isfinite(value)) throw InputError("canonical JSON has no NaN and no infinity");
  if (value == 0) return "0";
  char buffer[64];
  const auto result = std::to_chars(buffer, buffer + sizeof buffer, std::fabs(value),
                                    std::chars_format::scientific);
  const std::string text(buffer, result.ptr);
  const size_t e = text.find('e');
  std::string digits = text.substr(0, 1);
  if (e > 2) digits += text.substr(2, e - 2);
  // Decimal point comes after this many digits.
  const int point = std::stoi(text.substr(e + 1)) + 1;
  const int count = static_cast<int>(digits.size());
  std::string out;
  if (count <= point && point <= 21) {
    out = digits + std::string(point - count, '0');
  } else if (0 < point && point <= 21) {
    out = digits.substr(0, point) + "." + digits.substr(point);
  } else if (-6 < point && point <= 0) {
    out = "0." + std::string(-point, '0') + digits;
  } else {
    const int exponent = point - 1;
    out = digits.substr(0, 1) + (count > 1 ? "." + digits.substr(1) : "") + "e" +
          (exponent < 0 ? "-" : "+") + std::to_string(std::abs(exponent));
  }
  return value < 0 ? "-" + out : out;
}

void append(const Json& value, std::string& out) {
  switch (value.type()) {
    case Json::value_t::object: {
      out += '{';
      bool first = true;
      for (const auto& [key, item] : value.items()) {  // std::map: already sorted
        if (!first) out += ',';
        first = false;
        out += Json(key).dump();
        out += ':';
        append(item, out);
      }
      out += '}';
      break;
    }
    case Json::value_t::array: {
      out += '[';
      for (size_t i = 0; i < value.size(); ++i) {
        if (i) out += ',';
        append(value[i], out);
      }
      out += ']';
      break;
    }
    case Json::value_t::number_float:
      out += ecmascript_number(value.get<double>());
      break;
    default:
      out += value.dump();
  }
}

}  // namespace

std::string canonical_json(const Json& value) {
  std::string out;
  append(value, out);
  return out;
}

Json read_json(const std::filesystem::path& file) {
  const std::string text = read_text(file, kLargestData);
  try {
    return Json::parse(text);
  } catch (const Json::parse_error& error) {
    throw InputError({file.string()}, error.what());
  }
}

void write_file_atomically(const std::filesystem::path& file, const std::string& content) {
  OutputFile output(file);
  output.write(content);
  output.commit();
}

}  // namespace qbitopt
