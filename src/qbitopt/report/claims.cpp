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

std::string verdict_of(const SignFlipTest& test, double sign) {
  if (test.pairs == 0) return "no runs yet";
  if (test.p >= kSignificance) return "not shown";
  return sign * test.difference > 0 ? "holds" : "the opposite holds";
}

// `absent`: values of the claim's `at` that no row has.
std::string sentence(const ClaimResult& result, const std::vector<std::string>& absent) {
  const SignFlipTest& test = result.test;
  const std::string nowhere =
      absent.empty() ? "" : fmt::format(" There are no runs at {}.", fmt::join(absent, ", "));
  if (test.pairs == 0) return result.claim.say + ": no runs yet." + nowhere;
  std::string pairs = fmt::format("{} pair{}", test.pairs, test.pairs == 1 ? "" : "s");
  if (test.pairs < result.expected_pairs)
    pairs = fmt::format("{} of {} pairs", test.pairs, result.expected_pairs);
  std::string text =
      fmt::format("{}: {}. Mean difference {:+.2f} over {}, two-sided sign-flip p = {:.2g}",
                  result.claim.say, result.verdict, test.difference, pairs, test.p);
  if (test.smallest_p >= kSignificance)
    text += fmt::format(" (with this number of pairs, p is at least {:.2g})", test.smallest_p);
  return text + "." + nowhere;
}

}  // namespace

ClaimResult test_claim(const ClaimDefinition& claim, const RunGroups& groups,
                       const std::string& goal) {
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
  result.verdict = verdict_of(result.test, goal == "min" ? -1 : 1);
  std::vector<std::string> absent;
  for (const Json& wanted : claim.at) {
    const bool is_there =
        std::any_of(groups.groups().begin(), groups.groups().end(), [&](const RunGroup& group) {
          return group.row->id == claim.better &&
                 cell_text(group.split.front()) == cell_text(wanted);
        });
    if (!is_there) absent.push_back(cell_text(wanted));
  }
  result.text = sentence(result, absent);
  return result;
}

}  // namespace qbitopt
