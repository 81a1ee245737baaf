#include "qbitopt/sweep/rule.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "qbitopt/config/value.h"
#include "qbitopt/core/names.h"

namespace qbitopt {
namespace {

// What the key's type makes of a value; its range does not matter, a rule may speak of values that
// never come.
Json typed(const ParameterSpec& spec, const Json& value, const Place& place,
           const Catalog& catalog) {
  if (value.is_null()) return value;
  ParameterSpec unlimited = spec;
  unlimited.minimum.reset();
  unlimited.maximum.reset();
  try {
    Json typed = normalized(unlimited, value);
    if (!is_value_type(spec.type)) catalog.get(spec.type, typed.get<std::string>());
    return typed;
  } catch (const InputError& error) {
    fail_at(place, "'" + spec.name + "': " + error.what());
  }
}

// ">5.5": the comparison and what follows it.
std::optional<std::pair<Condition::Kind, std::string>> comparison(const Json& value) {
  static const std::vector<std::pair<std::string, Condition::Kind>> kOperators = {
      {">=", Condition::Kind::kAtLeast}, {"<=", Condition::Kind::kAtMost},
      {"!=", Condition::Kind::kUnequal}, {"==", Condition::Kind::kEqual},
      {">", Condition::Kind::kMore},     {"<", Condition::Kind::kLess}};
  if (!value.is_string()) return std::nullopt;
  const std::string text = value.get<std::string>();
  for (const auto& [symbol, kind] : kOperators) {
    if (text.rfind(symbol, 0) != 0) continue;
    const size_t start = text.find_first_not_of(' ', symbol.size());
    return std::pair(kind, start == std::string::npos ? "" : text.substr(start));
  }
  return std::nullopt;
}

Condition read_condition(const Setting& setting, const Catalog& catalog) {
  const ParameterSpec& spec = *catalog.keys().find(setting.key)->second;
  const YamlNode& node = setting.value;
  Condition condition{.key = setting.key};
  if (const auto compared = node.is_scalar() ? comparison(node.scalar) : std::nullopt) {
    condition.kind = compared->first;
    const Json value = core_schema_scalar(compared->second);
    const bool is_ordered =
        condition.kind != Condition::Kind::kEqual && condition.kind != Condition::Kind::kUnequal;
    if (is_ordered && !value.is_number())
      fail_at(node.place, node.found() + " compares with no number");
    // A whole-number key may be compared with 2.5.
    condition.values.push_back(is_ordered ? value : typed(spec, value, node.place, catalog));
    return condition;
  }
  const bool is_list_type = spec.type.rfind("list of ", 0) == 0;
  if (node.is_list() && !(is_list_type && !node.items.empty() && !node.items[0].is_list())) {
    for (const YamlNode& item : node.items) {
      condition.values.push_back(typed(spec, item.json(), item.place, catalog));
    }
  } else {
    condition.values.push_back(typed(spec, node.json(), node.place, catalog));
  }
  return condition;
}

const std::vector<YamlNode>& entries_of(const YamlNode& node, const std::string& what,
                                        const std::string& form) {
  if (!node.is_list())
    fail_at(node.place, what + " must be a list, found " + node.found() + "; write " + form);
  return node.items;
}

}  // namespace

bool Condition::matches(const Json& value) const {
  if (kind == Condition::Kind::kEqual)
    return std::find(values.begin(), values.end(), value) != values.end();
  if (value.is_null()) return false;
  const Json& bound = values[0];
  if (kind == Condition::Kind::kUnequal) return value != bound;
  if (!value.is_number()) return false;
  switch (kind) {
    case Condition::Kind::kLess:
      return value < bound;
    case Condition::Kind::kAtMost:
      return value <= bound;
    case Condition::Kind::kMore:
      return value > bound;
    default:
      return value >= bound;
  }
}

RuleList read_rules(const YamlNode& node, const std::string& what, const Catalog& catalog) {
  RuleList rules;
  for (const YamlNode& entry :
       entries_of(node, what, what + ": [{solver: milp, budget.average_bits: \">5.5\"}]")) {
    Rule rule;
    rule.place = entry.place;
    for (const Setting& setting :
         read_settings(entry, "an entry of " + what, Values::kPlain, catalog).settings) {
      rule.conditions.push_back(read_condition(setting, catalog));
    }
    if (rule.conditions.empty())
      fail_at(entry.place, "an empty entry of " + what + " matches every job");
    rules.push_back(std::make_shared<const Rule>(std::move(rule)));
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
    When when{Expression::parse(*condition),
              read_settings(*set, "set", Values::kPlain, catalog).settings, entry.place};
    for (const auto& [key, offset] : when.condition.keys()) {
      if (catalog.keys().find(key) != catalog.keys().end()) continue;
      fail_at(place_in_text(*condition, offset),
              catalog.unknown_key(key) + "; a text stands in quotes: '" + key + "'");
    }
    whens.push_back(std::make_shared<const When>(std::move(when)));
  }
  return whens;
}

}  // namespace qbitopt
