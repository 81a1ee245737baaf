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

// Throws InputError for a value that the key can never have.
void check_value(const std::string& key, const Json& value, const Place& place, bool is_ordered,
                 const Catalog& catalog) {
  if (key == kCaseWord) return;
  const ParameterSpec& spec = *catalog.keys().find(key)->second;
  if (!is_ordered) {
    expect_possible(spec, value, place, catalog);
  } else if (!value.is_number() && is_number_type(spec.type)) {
    fail_at(place, "'" + spec.name + "' must be compared with a number, found " + shown(value));
  }
}

// Throws InputError at an unknown key, and at a value that its key can never have.
Expression read_condition(const YamlNode& text, const Catalog& catalog) {
  Expression condition = Expression::parse(text);
  for (const auto& [key, offset] : condition.keys()) {
    if (key == kCaseWord || catalog.keys().find(key) != catalog.keys().end()) continue;
    fail_at(place_in_text(text, offset),
            catalog.unknown_key(key) + "; put a string in quotes: '" + key + "'");
  }
  for (const Expression::Comparison& comparison : condition.comparisons()) {
    check_value(comparison.key, comparison.value, place_in_text(text, comparison.at),
                comparison.is_ordered, catalog);
  }
  return condition;
}

std::vector<NamedCase> cases_in(const Expression& condition, const YamlNode& text) {
  std::vector<NamedCase> cases;
  for (const Expression::Comparison& comparison : condition.comparisons()) {
    const Place place = place_in_text(text, comparison.at);
    if (comparison.key != kCaseWord || comparison.value.is_null()) continue;
    if (!comparison.value.is_string()) {
      fail_at(place,
              "a case must be compared with its name in quotes, found " + shown(comparison.value));
    }
    cases.push_back({comparison.value.get<std::string>(), place});
  }
  return cases;
}

// {solver: milp, budget.average_bits: ">5.5"} as the condition that it is short for. Throws
// InputError at unknown keys and impossible values.
std::string as_condition(const YamlNode& map, const Catalog& catalog,
                         const std::string& prefix = "") {
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
      parts.push_back(as_condition(value, catalog, key + "."));
      continue;
    }
    if (key != kCaseWord && catalog.keys().count(key) == 0)
      fail_at(entry.place, catalog.unknown_key(key));
    if (symbol != kOperators.end()) {
      const size_t start = text.find_first_not_of(' ', symbol->size());
      const Json other = core_schema_scalar(start == std::string::npos ? "" : text.substr(start));
      parts.push_back(key + " " + *symbol + " " + shown(other));
      check_value(key, other, value.place, symbol->front() == '<' || symbol->front() == '>',
                  catalog);
    } else {
      parts.push_back(key + (value.is_list() ? " in " : " == ") + shown(value.json()));
      if (!value.is_list()) check_value(key, value.json(), value.place, false, catalog);
      for (const YamlNode& item : value.items)
        check_value(key, item.json(), item.place, false, catalog);
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
    YamlNode text = entry;
    if (entry.is_map()) {
      if (entry.entries.empty())
        fail_at(entry.place, "an empty map matches every job; name a key, as in " + form);
      text = YamlNode{.scalar = as_condition(entry, catalog)};  // without a place within
    }
    expect_text(text, "an entry of " + what);
    Expression condition = read_condition(text, catalog);
    std::vector<NamedCase> cases = cases_in(condition, text);
    for (NamedCase& named : cases) {
      if (!named.place.source) named.place = entry.place;
    }
    rules.push_back(
        std::make_shared<const Rule>(Rule{std::move(condition), entry.place, std::move(cases)}));
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
    Expression expression = read_condition(*condition, catalog);
    std::vector<NamedCase> cases = cases_in(expression, *condition);
    When when{std::move(expression), read_settings(*set, "set", Values::kPlain, catalog).settings,
              entry.place, std::move(cases)};
    whens.push_back(std::make_shared<const When>(std::move(when)));
  }
  return whens;
}

}  // namespace qbitopt
