#include "qbitopt/report/claims.h"

#include <fmt/format.h>

#include <algorithm>

#include "qbitopt/report/rows_format.h"

namespace qbitopt {
namespace {

constexpr double kSignificance = 0.05;

bool is_asked_for(const RunGroup& group, const ClaimDefinition& claim) {
  if (claim.at.empty()) return true;
  const std::string value = cell_text(group.split.front());
  return std::any_of(claim.at.begin(), claim.at.end(),
                     [&](const Json& wanted) { return cell_text(wanted) == value; });
}

std::string verdict_of(const ClaimResult& result, double sign) {
  if (result.test.pairs == 0) return "no runs yet";
  if (result.adjusted_p >= kSignificance) return "not shown";
  return sign * result.test.difference > 0 ? "holds" : "the opposite holds";
}

// `tested`: number of claims of the table that have runs.
std::string sentence(const ClaimResult& result, size_t tested) {
  const SignFlipTest& test = result.test;
  const std::string nowhere = result.absent.empty() ? ""
                                                    : fmt::format(" There are no runs at {}.",
                                                                  fmt::join(result.absent, ", "));
  if (test.pairs == 0) return result.claim.say + ": no runs yet." + nowhere;
  std::string pairs = fmt::format("{} pair{}", test.pairs, test.pairs == 1 ? "" : "s");
  if (test.pairs < result.expected_pairs)
    pairs = fmt::format("{} of {} pairs", test.pairs, result.expected_pairs);
  std::string text = fmt::format("{}: {}. Mean difference {:+.2f}", result.claim.say,
                                 result.verdict, test.difference);
  if (test.interval)
    text += fmt::format(" [{:+.2f}, {:+.2f}]", test.interval->low, test.interval->high);
  text += fmt::format(" over {}, {} of them above 0, two-sided sign-flip p = {:.2g}", pairs,
                      test.positive, test.p);
  if (tested > 1)
    text +=
        fmt::format(", {:.2g} after Holm's correction for {} claims", result.adjusted_p, tested);
  if (test.smallest_p >= kSignificance)
    text += fmt::format(" (with this number of pairs, p is at least {:.2g})", test.smallest_p);
  return text + "." + nowhere;
}

ClaimResult measure(const ClaimDefinition& claim, const RunGroups& groups) {
  ClaimResult result{.claim = claim};
  std::vector<std::vector<double>> blocks;
  for (const RunGroup& group : groups.groups()) {
    if (group.row->id != claim.better || !is_asked_for(group, claim)) continue;
    result.expected_pairs += static_cast<int>(group.runs.size());
    const RunGroup* other = groups.beside(group, claim.than);
    if (other == nullptr) continue;
    auto& block = blocks.emplace_back();
    for (const Pair& pair : pairs_of(group, *other, claim.of)) block.push_back(pair.difference);
  }
  result.test = sign_flip_test(blocks);
  for (const Json& wanted : claim.at) {
    const bool is_there =
        std::any_of(groups.groups().begin(), groups.groups().end(), [&](const RunGroup& group) {
          return group.row->id == claim.better &&
                 cell_text(group.split.front()) == cell_text(wanted);
        });
    if (!is_there) result.absent.push_back(cell_text(wanted));
  }
  return result;
}

}  // namespace

std::vector<ClaimResult> test_claims(
    const std::vector<ClaimDefinition>& claims, const RunGroups& groups,
    const std::function<std::string(const std::string&)>& goal_of) {
  std::vector<ClaimResult> results;
  std::vector<double> p_values;  // of the claims that have runs
  for (const ClaimDefinition& claim : claims) {
    results.push_back(measure(claim, groups));
    if (results.back().test.pairs > 0) p_values.push_back(results.back().test.p);
  }
  const std::vector<double> adjusted = holm_adjusted(p_values);
  size_t next = 0;
  for (ClaimResult& result : results) {
    if (result.test.pairs > 0) result.adjusted_p = adjusted[next++];
    result.verdict = verdict_of(result, goal_of(result.claim.of) == "min" ? -1 : 1);
    result.text = sentence(result, adjusted.size());
  }
  return results;
}

}  // namespace qbitopt
