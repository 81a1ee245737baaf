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

// In a condition, this word is the name of the job's case; null without cases, and for a job that
// is there only because others need it.
inline constexpr const char* kCaseWord = "case";

// The name of a case that a condition compares with.
struct NamedCase {
  std::string name;
  Place place;
};

// An entry of `exclude` or `only`: "solver == 'milp' and budget.average_bits > 5.5". A map is short
// for such a condition: {case: fixed, solver: [milp, exact], budget.average_bits: ">5.5"}.
struct Rule {
  Expression condition;
  Place place;
  std::vector<NamedCase> cases;
  mutable size_t matches = 0;  // jobs it met, for the warning about a rule that meets none
};
using RuleList = std::vector<std::shared_ptr<const Rule>>;

// An entry of `when`: {if: "sensitivity == 'hessian_trace'", set: {hessian.samples: 512}}.
struct When {
  Expression condition;
  Settings set;
  Place place;
  std::vector<NamedCase> cases;
  mutable size_t matches = 0;
};
using WhenList = std::vector<std::shared_ptr<const When>>;

// `what`: "exclude" or "only". Throws InputError at unknown keys and at values that the key can
// never have.
RuleList read_rules(const YamlNode& node, const std::string& what, const Catalog& catalog);
WhenList read_whens(const YamlNode& node, const Catalog& catalog);

}  // namespace qbitopt
