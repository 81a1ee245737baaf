#include "qbitopt/sweep/rule.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "qbitopt/config/value.h"
#include "qbitopt/core/names.h"

namespace qbitopt {
namespace {

bool is_number_type(const std::string& type) {
  return type == "int" || type == "float" || type == "decimal";
}

// The key's range is not checked: a condition may name values that do not occur.
void expect_possible(const ParameterSpec& spec, const Json& value, const Place& place,
                     const Catalog& catalog) {
  if (value.is_null()) return;
  ParameterSpec unlimited = spec;
  unlimited.minimum.reset();
  unlimited.maximum.reset();
  try {
    const Json typed = normalized(unlimited, value);
    if (!is_value_type(spec.type)) catalog.get(spec.type, typed.get<std::string>());
  } catch (const InputError& error) {
    fail_at(place, "'" + spec.name + "': " + error.what());
  }
}

// Throws InputError at an unknown key, and at a value that its key can never have.
Expression read_condition(const YamlNode& text, const Catalog& catalog) {
  Expression condition = Expression::parse(text);
  for (const auto& [key, offset] : condition.keys()) {
    if (catalog.keys().find(key) != catalog.keys().end()) continue;
    fail_at(place_in_text(text, offset),
            catalog.unknown_key(key) + "; put a string in quotes: '" + key + "'");
  }
  for (const Expression::Comparison& comparison : condition.comparisons()) {
    const ParameterSpec& spec = *catalog.keys().find(comparison.key)->second;
    const Place place = place_in_text(text, comparison.at);
    if (!comparison.is_ordered) {
      expect_possible(spec, comparison.value, place, catalog);
    } else if (!comparison.value.is_number() && is_number_type(spec.type)) {
      fail_at(place, "'" + spec.name + "' must be compared with a number, found " +
                         shown(comparison.value));
    }
  }
  return condition;
}

// {solver: milp, budget.average_bits: ">5.5"} as the condition that says so.
std::string as_condition(const YamlNode& map, const std::string& prefix = "") {
  static const std::vector<std::string> kOperators = {">=", "<=", "!=", "==", ">", "<"};
  std::vector<std::string> parts;
  for (const YamlNode::Entry& entry : map.entries) {
    const std::string key = prefix + entry.key;
    const YamlNode& value = entry.value;
    const std::string text =
        value.is_scalar() && value.scalar.is_string() ? value.scalar.get<std::string>() : "";
    const auto symbol = std::find_if(kOperators.begin(), kOperators.end(),
                                     [&](const auto& each) { return text.starts_with(each); });
    if (value.is_map()) {
      parts.push_back(as_condition(value, key + "."));
    } else if (symbol != kOperators.end()) {
      const size_t start = text.find_first_not_of(' ', symbol->size());
      const Json other = core_schema_scalar(start == std::string::npos ? "" : text.substr(start));
      parts.push_back(key + " " + *symbol + " " + shown(other));
    } else {
      parts.push_back(key + (value.is_list() ? " in " : " == ") + shown(value.json()));
    }
  }
  return fmt::to_string(fmt::join(parts, " and "));
}

const std::vector<YamlNode>& entries_of(const YamlNode& node, const std::string& what,
                                        const std::string& form) {
  if (!node.is_list())
    fail_at(node.place, what + " must be a list, found " + node.found() + "; write " + form);
  return node.items;
}

}  // namespace

RuleList read_rules(const YamlNode& node, const std::string& what, const Catalog& catalog) {
  const std::string form = what + ": [\"solver == 'milp' and budget.average_bits > 5.5\"]";
  RuleList rules;
  for (const YamlNode& entry : entries_of(node, what, form)) {
    if (entry.is_map() && !entry.entries.empty())
      fail_at(entry.place, "an entry of " + what + " must be a condition; write \"" +
                               as_condition(entry) + "\"");
    expect_text(entry, "an entry of " + what);
    rules.push_back(
        std::make_shared<const Rule>(Rule{read_condition(entry, catalog), entry.place}));
  }
  return rules;
}

WhenList read_whens(const YamlNode& node, const Catalog& catalog) {
  const std::string form = "when: [{if: \"solver == 'exact'\", set: {exact.digits: 3}}]";
  WhenList whens;
  for (const YamlNode& entry : entries_of(node, "when", form)) {
    expect_keys(entry, "an entry of when", {"if", "set"});
    const YamlNode* condition = entry.find("if");
    const YamlNode* set = entry.find("set");
    if (!condition || !set)
      fail_at(entry.place, "an entry of when needs `if` and `set`; write " + form);
    expect_text(*condition, "if");
    When when{read_condition(*condition, catalog),
              read_settings(*set, "set", Values::kPlain, catalog).settings, entry.place};
    whens.push_back(std::make_shared<const When>(std::move(when)));
  }
  return whens;
}

}  // namespace qbitopt
