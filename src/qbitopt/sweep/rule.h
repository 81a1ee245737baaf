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

// An entry of `exclude` or `only`: "solver == 'milp' and budget.average_bits > 5.5".
struct Rule {
  Expression condition;
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
