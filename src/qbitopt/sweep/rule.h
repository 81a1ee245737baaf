#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "qbitopt/config/catalog.h"
#include "qbitopt/config/yaml.h"
#include "qbitopt/sweep/expression.h"
#include "qbitopt/sweep/settings.h"

namespace qbitopt {

// What one key must be for an `exclude` or `only` entry to match.
struct Condition {
  enum class Kind { kEqual, kUnequal, kLess, kAtMost, kMore, kAtLeast };

  std::string key;
  Kind kind = Kind::kEqual;
  std::vector<Json> values;  // any of them; one unless kEqual

  // `value`: the job's; null if it has no such key. Null matches only a null that is asked for.
  bool matches(const Json& value) const;
};

// An entry of `exclude` or `only`: {solver: milp, budget.average_bits: ">5.5"}. All conditions must
// match.
struct Rule {
  std::vector<Condition> conditions;
  Place place;
  mutable size_t matches = 0;  // jobs it met, for the warning about a rule that meets none
};
using RuleList = std::vector<std::shared_ptr<const Rule>>;

// An entry of `when`: {if: "sensitivity == 'hessian_trace'", set: {hessian.samples: 512}}.
struct When {
  Expression condition;
  Settings set;
  Place place;
  mutable size_t matches = 0;
};
using WhenList = std::vector<std::shared_ptr<const When>>;

// `what`: "exclude" or "only". Throws InputError at unknown keys and at values that the key can
// never have.
RuleList read_rules(const YamlNode& node, const std::string& what, const Catalog& catalog);
WhenList read_whens(const YamlNode& node, const Catalog& catalog);

}  // namespace qbitopt
