#include "qbitopt/allocation/knapsack/rest_bound.h"

#include <algorithm>

#include "qbitopt/allocation/problem.h"

namespace qbitopt {
namespace {

constexpr size_t kMostPieces = 24;  // each way

}  // namespace

void RestBound::start(const std::vector<Step>& steps, int owners, double limit, double price) {
  price_ = price;
  links_.assign(2, {0, 0, -1, -1});
  owned_first_.assign(owners + 2, 0);
  for (const Step& step : steps) owned_first_[step.owner + 2] += step.reach < limit;
  for (int i = 2; i < owners + 2; ++i) owned_first_[i] += owned_first_[i - 1];
  owned_.resize(owned_first_.back());
  int32_t tail[2] = {0, 1};
  for (const Step& step : steps) {
    if (step.reach >= limit) continue;
    const auto at = static_cast<int32_t>(links_.size());
    int32_t& last = tail[step.load < 0];
    links_[last].after = at;
    links_.push_back({step.ratio, step.load, last, -1});
    last = at;
    owned_[owned_first_[step.owner + 1]++] = at;
  }
}

void RestBound::remove(int owner) {
  for (int32_t i = owned_first_[owner]; i < owned_first_[owner + 1]; ++i) {
    const Link& link = links_[owned_[i]];
    links_[link.before].after = link.after;
    if (link.after >= 0) links_[link.after].before = link.before;
  }
}

const RestBound::Piece* RestBound::pieces() {
  filling_.clear();
  double left = 0;
  double paid = 0;
  for (int32_t at = links_[0].after;; at = links_[at].after) {
    const double ratio = at < 0 ? price_ : std::min(price_, links_[at].ratio);
    filling_.push_back({left, paid - ratio * left, ratio});
    if (ratio == price_ || filling_.size() == kMostPieces) break;
    paid += ratio * links_[at].load;
    left += links_[at].load;
  }
  pieces_.assign(filling_.rbegin(), filling_.rend());

  left = 0;
  paid = 0;
  for (int32_t at = links_[1].after; at >= 0; at = links_[at].after) {
    const double ratio = links_[at].ratio;
    const bool is_last = pieces_.size() + 1 == filling_.size() + kMostPieces;
    pieces_.push_back({is_last ? -kInfinity : left + links_[at].load, paid + ratio * left, -ratio});
    if (is_last) return pieces_.data();
    paid -= ratio * links_[at].load;
    left += links_[at].load;
  }
  pieces_.push_back({-kInfinity, kInfinity, 0});  // no more can be freed
  return pieces_.data();
}

}  // namespace qbitopt
