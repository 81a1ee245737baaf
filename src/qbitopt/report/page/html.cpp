#include "qbitopt/report/page/html.h"

#include <fmt/format.h>

#include "qbitopt/core/hash.h"

namespace qbitopt {

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        if (static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t') out += c;
    }
  }
  return out;
}

std::string json_for_page(const Json& json) {
  const std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (c == '<') {
      out += "\\u003c";
    } else {
      out += c;
    }
  }
  return out;
}

std::string script_hash(std::string_view script) {
  constexpr const char* kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const std::string hex = sha256(script);
  std::string out;
  for (size_t i = 0; i < hex.size(); i += 6) {  // 3 bytes are 4 digits; 32 bytes end with one "="
    const std::string part = hex.substr(i, 6);
    const auto bits = std::stoul(part, nullptr, 16) << (24 - 4 * part.size());
    for (size_t k = 0; k < 4; ++k)
      out += 6 * k >= 4 * part.size() ? '=' : kDigits[(bits >> (18 - 6 * k)) & 63];
  }
  return out;
}

std::string code_block(std::string_view code) {
  return fmt::format(
      "<div class=\"code\"><button type=\"button\" class=\"plain copy\">Copy</button>"
      "<pre tabindex=\"0\">{}</pre></div>",
      escaped(code));
}

std::string folded_code(std::string_view title, std::string_view code) {
  return fmt::format("<details class=\"sql\"><summary>{}</summary>{}</details>\n", escaped(title),
                     code_block(code));
}

}  // namespace qbitopt
