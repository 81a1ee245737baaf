#include "worker/arguments.h"

#include <fmt/format.h>

#include <algorithm>

#include "qbitopt/core/error.h"
#include "qbitopt/core/names.h"
#include "qbitopt/core/quantities.h"

namespace qbitopt::worker {
namespace {

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

Arguments Arguments::parse(const std::vector<std::string>& arguments,
                           const std::vector<std::string>& with_value,
                           const std::vector<std::string>& switches) {
  Arguments parsed;
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == "--") {
      parsed.words.insert(parsed.words.end(),
                          arguments.begin() + static_cast<std::ptrdiff_t>(i) + 1, arguments.end());
      break;
    }
    if (!arguments[i].starts_with("--")) {
      parsed.words.push_back(arguments[i]);
      continue;
    }
    const size_t equals = arguments[i].find('=');
    const std::string name = arguments[i].substr(2, equals - 2);
    if (contains(switches, name)) {
      parsed.options[name] = "true";
    } else if (!contains(with_value, name)) {
      std::vector<std::string> known = with_value;
      known.insert(known.end(), switches.begin(), switches.end());
      throw InputError(unknown_name("option", name, known));
    } else if (equals != std::string::npos) {
      parsed.options[name] = arguments[i].substr(equals + 1);
    } else if (++i < arguments.size()) {
      parsed.options[name] = arguments[i];
    } else {
      throw InputError("--" + name + " needs a value");
    }
  }
  return parsed;
}

const std::string& Arguments::required(const std::string& name) const {
  const auto found = options.find(name);
  if (found == options.end()) throw InputError("--" + name + " is missing");
  return found->second;
}

std::string Arguments::get_or(const std::string& name, const std::string& fallback) const {
  return has(name) ? options.at(name) : fallback;
}

int Arguments::number_or(const std::string& name, int fallback, int least, int most) const {
  const std::string text = get_or(name, std::to_string(fallback));
  const auto count = parse_count(text, least, most);
  if (!count) {
    const std::string end = most == kNoLimit ? "on" : fmt::format("to {}", most);
    throw InputError(
        fmt::format("--{} takes a number from {} {}, not '{}'", name, least, end, text));
  }
  return *count;
}

int Arguments::number(const std::string& name, int least, int most) const {
  required(name);
  return number_or(name, least, least, most);
}

}  // namespace qbitopt::worker
