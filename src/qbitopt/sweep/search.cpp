#include "qbitopt/sweep/search.h"

#include <algorithm>
#include <cmath>

#include "qbitopt/config/value.h"
#include "qbitopt/core/names.h"
#include "qbitopt/sweep/run_settings.h"

namespace qbitopt {
namespace {

constexpr const char* kForm =
    "search: {parameter: fracbits.kappa, scale: log, from: 0.01, to: 100, until: within_budget, "
    "slack: 0.05, max_runs: 6}";

// To 3 significant digits, as a person would write a strength.
double readable(double value) {
  if (value == 0) return 0;
  const double unit = std::pow(10, 2 - std::floor(std::log10(std::abs(value))));
  return rounded(std::round(value * unit) / unit);
}

const YamlNode& required(const YamlNode& node, const char* key) {
  const YamlNode* found = node.find(key);
  if (!found) {
    fail_at(node.place, std::string("this search has no `") + key + "`; write " + kForm);
  }
  return *found;
}

// One of two words.
bool is_first(const YamlNode& node, const std::string& key, const std::string& first,
              const std::string& second) {
  const std::string word = expect_text(node, key);
  if (word != first && word != second) {
    fail_at(node.place, unknown_name(key, word, {first, second}));
  }
  return word == first;
}

}  // namespace

Search read_search(const YamlNode& node, const Catalog& catalog) {
  expect_keys(node, "search",
              {"parameter", "scale", "from", "to", "until", "slack", "max_runs", "trials"});
  Search search{.place = node.place};
  const YamlNode& parameter = required(node, "parameter");
  search.parameter = expect_text(parameter, "parameter");
  const auto known = catalog.keys().find(search.parameter);
  if (known == catalog.keys().end())
    fail_at(parameter.place, catalog.unknown_key(search.parameter));
  if (known->second->type != "float") {
    fail_at(parameter.place,
            "a search needs a float; '" + search.parameter + "' is of type " + known->second->type);
  }
  if (const YamlNode* scale = node.find("scale"))
    search.in_logarithm = is_first(*scale, "scale", "log", "linear");
  const YamlNode& until = required(node, "until");
  if (expect_text(until, "until") != "within_budget")
    fail_at(until.place, "`until` must be within_budget, found " + until.found());
  search.from = expect_number(required(node, "from"), "from");
  search.to = expect_number(required(node, "to"), "to");
  if (search.from >= search.to) fail_at(required(node, "to").place, "`to` must be above `from`");
  if (search.in_logarithm && search.from <= 0) {
    fail_at(required(node, "from").place,
            "on a logarithmic scale `from` must be above 0; or write scale: linear");
  }
  if (const YamlNode* slack = node.find("slack")) {
    search.slack = expect_number(*slack, "slack");
    if (search.slack <= 0) fail_at(slack->place, "slack must be above 0, in bits");
  }
  if (const YamlNode* runs = node.find("max_runs")) {
    const auto count = read_count(*runs, 1);
    if (!count)
      fail_at(runs->place, "max_runs must be at least 1, a whole number, found " + runs->found());
    search.max_runs = *count;
  }
  if (const YamlNode* trials = node.find("trials")) {
    search.trials = read_settings(*trials, "trials", Values::kPlain, catalog).settings;
    for (const char* key : {search.parameter.c_str(), "seed"}) {
      if (const Setting* setting = search.trials.find(key))
        fail_at(setting->place, "the search sets '" + setting->key +
                                    "' of its trials itself; remove it from `trials`");
    }
  }
  return search;
}

Bisection::Bisection(const Search& search, double start)
    : search_(search), weak_(search.from), strong_(search.to), next_(start) {}

double Bisection::middle() const {
  return readable(search_.in_logarithm ? std::sqrt(weak_ * strong_) : (weak_ + strong_) / 2);
}

void Bisection::add(const TrialResult& result) {
  const double value = next_.value();
  next_.reset();
  if (result.has_failed) {
    has_failed_ = true;
    return;
  }
  const double distance = std::max({0.0, result.excess, -search_.slack - result.excess});
  tried_.push_back({value, result, distance});
  if (distance == 0 || runs() == search_.max_runs) return;
  (result.excess > 0 ? weak_ : strong_) = value;
  const double candidate = middle();
  const bool is_new = std::none_of(tried_.begin(), tried_.end(),
                                   [&](const Tried& tried) { return tried.value == candidate; });
  if (is_new) next_ = candidate;
}

bool Bisection::has_found() const {
  return std::any_of(tried_.begin(), tried_.end(),
                     [](const Tried& tried) { return tried.distance == 0; });
}

std::optional<double> Bisection::chosen() const {
  if (tried_.empty() || has_failed_) return std::nullopt;
  return std::min_element(tried_.begin(), tried_.end(),
                          [](const Tried& a, const Tried& b) {
                            if (a.distance != b.distance) return a.distance < b.distance;
                            return a.result.validation_top1 > b.result.validation_top1;
                          })
      ->value;
}

}  // namespace qbitopt
