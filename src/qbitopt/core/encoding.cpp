#include "qbitopt/core/encoding.h"

#include <algorithm>

#include "qbitopt/core/error.h"

namespace qbitopt {
namespace {

constexpr uint32_t kInvalid = 0xffffffff;

struct Character {
  uint32_t code = kInvalid;  // of Unicode; kInvalid: no UTF-8 begins here
  size_t bytes = 1;
};

// The character that begins at `at`. Overlong forms, surrogates and what lies beyond Unicode are
// invalid.
Character character_at(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(at);
  if (first < 0x80) return {first, 1};
  const size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || at + length > text.size()) return {};
  uint32_t code = first & (0xffU >> (length + 1));
  for (size_t i = 1; i < length; ++i) {
    if ((byte(at + i) & 0xc0) != 0x80) return {};
    code = code << 6 | (byte(at + i) & 0x3fU);
  }
  constexpr uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool is_surrogate = code >= 0xd800 && code <= 0xdfff;
  if (code < kSmallest[length] || code > 0x10ffff || is_surrogate) return {};
  return {code, length};
}

bool is_control(uint32_t code) { return code < 0x20 || (code >= 0x7f && code < 0xa0); }

std::string escape(unsigned char byte) {
  constexpr char kDigits[] = "0123456789abcdef";
  if (byte == '\n') return "\\n";
  if (byte == '\r') return "\\r";
  if (byte == '\t') return "\\t";
  return {'\\', 'x', kDigits[byte >> 4], kDigits[byte & 15]};
}

// By its mark, or by the zeros that ASCII has in it.
const char* wide_encoding(std::string_view text) {
  using namespace std::string_view_literals;
  if (text.starts_with("\xff\xfe\0\0"sv) || text.starts_with("\0\0\xfe\xff"sv)) return "UTF-32";
  if (text.starts_with("\xff\xfe"sv) || text.starts_with("\xfe\xff"sv)) return "UTF-16";
  if (text.size() < 4 || text.substr(0, 4).find('\0') == std::string_view::npos) return nullptr;
  return std::count(text.begin(), text.begin() + 4, '\0') == 2 ? "UTF-16" : "UTF-32";
}

}  // namespace

std::optional<size_t> first_invalid_utf8(std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    const Character character = character_at(text, at);
    if (character.code == kInvalid) return at;
    at += character.bytes;
  }
  return std::nullopt;
}

void expect_utf8(std::string_view text, const std::string& file) {
  if (const char* wide = wide_encoding(text)) {
    throw InputError({file}, std::string("is in ") + wide + "; save it as UTF-8, or: iconv -f " +
                                 wide + " -t UTF-8 OLD > NEW");
  }
  const auto at = first_invalid_utf8(text);
  if (!at) return;
  const auto before = text.substr(0, *at);
  const auto line = static_cast<int>(std::count(before.begin(), before.end(), '\n')) + 1;
  const auto column = static_cast<int>(*at - (before.rfind('\n') + 1)) + 1;
  throw InputError({file, line, column},
                   "byte " + escape(static_cast<unsigned char>(text[*at])) +
                       " is not UTF-8; the file seems to be in Latin-1 (Windows-1252): save it as "
                       "UTF-8, or: iconv -f WINDOWS-1252 -t UTF-8 OLD > NEW");
}

std::string printable(std::string_view text, std::string_view kept) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const Character character = character_at(text, at);
    const bool is_kept = kept.find(text[at]) != std::string_view::npos;
    if (is_kept || (character.code != kInvalid && !is_control(character.code))) {
      out += text.substr(at, character.bytes);
    } else {
      for (size_t i = 0; i < character.bytes; ++i)
        out += escape(static_cast<unsigned char>(text[at + i]));
    }
    at += character.bytes;
  }
  return out;
}

}  // namespace qbitopt
