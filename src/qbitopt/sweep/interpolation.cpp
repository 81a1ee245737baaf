#include "qbitopt/sweep/interpolation.h"

#include <cstdlib>
#include <optional>
#include <string_view>

#include "qbitopt/config/value.h"
#include "qbitopt/core/names.h"

namespace qbitopt {
namespace {

constexpr std::string_view kOpening = "${";
constexpr std::string_view kEscaped = "\\${";

// A piece of a text: characters as they are, or what stands between ${ and }.
struct Piece {
  bool is_reference = false;
  std::string text;
  size_t offset = 0;  // of the piece in the text, in bytes
};

Place place_of(const Json& text, const Place& place, size_t offset) {
  return place_in_text(YamlNode{.place = place, .scalar = text}, offset);
}

std::string trimmed(const std::string& text) {
  const size_t first = text.find_first_not_of(' ');
  return first == std::string::npos ? ""
                                    : text.substr(first, text.find_last_not_of(' ') - first + 1);
}

std::vector<Piece> pieces_of(const Json& value, const Place& place) {
  const auto& text = value.get_ref<const std::string&>();
  std::vector<Piece> pieces = {{}};
  for (size_t at = 0; at < text.size();) {
    if (text.compare(at, kEscaped.size(), kEscaped) == 0) {
      pieces.back().text += kEscaped;
      at += kEscaped.size();
    } else if (text.compare(at, kOpening.size(), kOpening) == 0) {
      const size_t end = text.find('}', at);
      if (end == std::string::npos) {
        fail_at(place_of(value, place, at),
                "this '${' has no '}'; write \\${ for the characters themselves");
      }
      const size_t begin = at + kOpening.size();
      pieces.push_back({true, trimmed(text.substr(begin, end - begin)), at});
      at = end + 1;
      pieces.push_back({false, "", at});
    } else {
      pieces.back().text += text[at++];
    }
  }
  std::erase_if(pieces,
                [](const Piece& piece) { return !piece.is_reference && piece.text.empty(); });
  return pieces;
}

bool mentions(const Json& value) {
  return value.is_string() &&
         value.get_ref<const std::string&>().find(kOpening) != std::string::npos;
}

std::string unescaped(std::string text) {
  for (size_t at = 0; (at = text.find(kEscaped, at)) != std::string::npos; at += kOpening.size())
    text.erase(at, 1);
  return text;
}

std::string escaped(std::string text) {
  for (size_t at = 0; (at = text.find(kOpening, at)) != std::string::npos; at += kEscaped.size())
    text.insert(at, 1, '\\');
  return text;
}

bool is_name_of_variable(const std::string& name) {
  constexpr std::string_view kLetters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
  return !name.empty() && name.find_first_not_of(kLetters) == std::string::npos &&
         (name[0] < '0' || name[0] > '9');
}

// "env:NAME,default" -> the text of the variable; nullopt: a reference to a key.
std::optional<std::string> variable(const Piece& piece, const Place& at) {
  const size_t colon = piece.text.find(':');
  if (colon == std::string::npos) return std::nullopt;
  const std::string resolver = trimmed(piece.text.substr(0, colon));
  if (resolver != "env") {
    fail_at(at, "unknown interpolation '" + resolver +
                    "'; write ${env:NAME}, ${env:NAME,default} or ${key}");
  }
  const std::string rest = piece.text.substr(colon + 1);
  const size_t comma = rest.find(',');
  const std::string name = trimmed(rest.substr(0, comma));
  if (!is_name_of_variable(name)) {
    fail_at(at, "'" + name + "' is no name of an environment variable; write ${env:NAME}");
  }
  if (const char* set = std::getenv(name.c_str())) return set;
  if (comma != std::string::npos) return trimmed(rest.substr(comma + 1));
  fail_at(at, "the environment variable '" + name +
                  "' is not set; set it, or give a default: ${env:" + name + ",default}");
}

// Without its `${env:...}`; other pieces stay as they were written.
Json with_environment(const Json& value, const Place& place, bool takes_keys) {
  const std::vector<Piece> pieces = pieces_of(value, place);
  std::string text;
  for (const Piece& piece : pieces) {
    if (!piece.is_reference) {
      text += takes_keys ? piece.text : unescaped(piece.text);
      continue;
    }
    const Place at = place_of(value, place, piece.offset);
    const auto found = variable(piece, at);
    if (!found && !takes_keys) {
      fail_at(at, "'${" + piece.text +
                      "}' refers to a parameter of jobs, which is possible in the values of jobs "
                      "only (set, grid, zip, include, when, needs); here ${env:NAME} is");
    }
    if (found && pieces.size() == 1) {
      const Json typed = core_schema_scalar(*found);
      return typed.is_string() && takes_keys ? Json(escaped(*found)) : typed;
    }
    if (found) {
      text += takes_keys ? escaped(*found) : *found;
    } else {
      text += "${" + piece.text + "}";
    }
  }
  return text;
}

}  // namespace

void resolve_environment(YamlNode& node, bool takes_keys) {
  if (mentions(node.scalar)) node.scalar = with_environment(node.scalar, node.place, takes_keys);
  for (YamlNode& item : node.items) resolve_environment(item, takes_keys);
  for (YamlNode::Entry& entry : node.entries) resolve_environment(entry.value, takes_keys);
}

std::vector<std::string> referenced_keys(const Json& value) {
  std::vector<std::string> keys;
  if (mentions(value)) {
    for (const Piece& piece : pieces_of(value, {})) {
      if (piece.is_reference) keys.push_back(piece.text);
    }
  } else if (value.is_structured()) {
    for (const Json& item : value) {
      for (std::string& key : referenced_keys(item)) keys.push_back(std::move(key));
    }
  }
  return keys;
}

void check_references(const YamlNode& node, const Catalog& catalog) {
  if (mentions(node.scalar)) {
    for (const Piece& piece : pieces_of(node.scalar, node.place)) {
      if (!piece.is_reference || catalog.keys().count(piece.text) != 0) continue;
      fail_at(place_of(node.scalar, node.place, piece.offset), catalog.unknown_key(piece.text));
    }
  }
  for (const YamlNode& item : node.items) check_references(item, catalog);
  for (const YamlNode::Entry& entry : node.entries) check_references(entry.value, catalog);
}

Json interpolated(const Json& value, const Place& place,
                  const std::function<Json(const std::string& key, const Place& at)>& value_of) {
  if (value.is_array()) {
    Json list = Json::array();
    for (const Json& item : value) list.push_back(interpolated(item, place, value_of));
    return list;
  }
  if (!mentions(value)) return value;
  const std::vector<Piece> pieces = pieces_of(value, place);
  std::string text;
  for (const Piece& piece : pieces) {
    if (!piece.is_reference) {
      text += unescaped(piece.text);
      continue;
    }
    const Json found = value_of(piece.text, place_of(value, place, piece.offset));
    if (pieces.size() == 1) return found;
    text += found.is_string() ? found.get<std::string>() : shown(found);
  }
  return text;
}

}  // namespace qbitopt
