#include "qbitopt/sensitivity/hessian_trace.h"

#include <ATen/CPUGeneratorImpl.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "qbitopt/core/random.h"
#include "qbitopt/sensitivity/candidate_errors.h"
#include "qbitopt/sensitivity/loss_curvature.h"

namespace qbitopt {
namespace {

using torch::Tensor;

// Parts of the images: small ones keep the weights' off-diagonal noise apart, few would not tell
// how far images differ.
constexpr int64_t kLargestPart = 8, kFewestParts = 8;
constexpr int kFewestVectors = 2;

// What one part of the images tells of one tensor.
struct PartOfImages {
  double share = 0;      // of all images
  int64_t count = 0;     // values, and
  int64_t left_out = 0;  // those that were not finite
  double mean = 0;       // over vectors
  double squares = 0;    // of the distances from the mean (Welford)

  void add(double value) {
    if (!std::isfinite(value)) {
      ++left_out;
      return;
    }
    const double distance = value - mean;
    mean += distance / static_cast<double>(++count);
    squares += distance * (value - mean);
  }
};

TraceEstimate estimate_of(const std::vector<PartOfImages>& parts) {
  double shares = 0;
  double measured = 0;  // parts with a value
  TraceEstimate estimate;
  for (const PartOfImages& part : parts) {
    estimate.products += part.count + part.left_out;
    estimate.left_out += part.left_out;
    if (part.count == 0) continue;
    shares += part.share;
    measured += 1;
    estimate.trace += part.share * part.mean;
  }
  if (measured == 0) return estimate;
  estimate.trace /= shares;
  double within = 0, between = 0;
  for (const PartOfImages& part : parts) {
    if (part.count == 0) continue;
    const auto n = static_cast<double>(part.count);
    const double weight = part.share / shares;
    if (n > 1) within += weight * weight * part.squares / (n * (n - 1));
    between += weight * weight * (part.mean - estimate.trace) * (part.mean - estimate.trace);
  }
  estimate.vector_error = std::sqrt(within);
  // The spread between parts has the vectors' in it. One part cannot tell how far images differ.
  estimate.standard_error =
      measured > 1 ? std::sqrt(between * measured / (measured - 1)) : estimate.vector_error;
  return estimate;
}

// "Hessian traces: standard error 12% in the median, 31% at most (fc.weight); 2 to 9 vectors".
std::string accuracy_text(const UniformQuantizers& quantizers,
                          const std::vector<TraceEstimate>& estimates) {
  if (estimates.empty()) return "";
  std::vector<std::pair<double, size_t>> errors;
  int fewest = estimates[0].vectors, most = fewest;
  for (size_t q = 0; q < estimates.size(); ++q) {
    const TraceEstimate& estimate = estimates[q];
    errors.emplace_back(
        estimate.standard_error == 0 ? 0 : estimate.standard_error / std::abs(estimate.trace), q);
    fewest = std::min(fewest, estimate.vectors);
    most = std::max(most, estimate.vectors);
  }
  std::sort(errors.begin(), errors.end());
  return "Hessian traces: standard error " + percent(errors[errors.size() / 2].first) +
         " in the median, " + percent(errors.back().first) + " at most (" +
         quantizers[errors.back().second]->spec().name + "); " + std::to_string(fewest) + " to " +
         std::to_string(most) + " vectors";
}

// Names the traces that may as well be 0; empty if there are none.
std::string unresolved_text(const UniformQuantizers& quantizers,
                            const std::vector<TraceEstimate>& estimates,
                            const HessianTraceOptions& options) {
  std::vector<std::string> names;
  bool more_vectors_help = false;
  for (size_t q = 0; q < estimates.size(); ++q) {
    const TraceEstimate& of = estimates[q];
    if (of.is_resolved() || (of.trace == 0 && of.standard_error == 0)) continue;
    char values[64];
    std::snprintf(values, sizeof values, " (%.2g +- %.2g)", of.trace, of.standard_error);
    names.push_back(quantizers[q]->spec().name + values);
    more_vectors_help |= of.vectors >= options.vectors && of.vector_error > of.standard_error / 2;
  }
  if (names.empty()) return "";
  return std::to_string(names.size()) + " of " + std::to_string(estimates.size()) +
         " Hessian traces are not beyond two standard errors: " + first_few(names) +
         "; each counts at least as one standard error; raise hessian_trace.samples" +
         (more_vectors_help ? " or hessian_trace.vectors" : "");
}

Tensor random_signs(const Tensor& like, at::Generator generator) {
  const Tensor bits = torch::empty_like(like, torch::kCPU).bernoulli_(0.5, std::move(generator));
  return bits.mul_(2).sub_(1).to(like.device());
}

}  // namespace

std::vector<TraceEstimate> HessianTrace::traces(SensitivityContext& context,
                                                const UniformQuantizers& quantizers, Stage stage) {
  Random random(context.seed, "sensitivity.hessian_trace", static_cast<uint64_t>(context.step));
  at::Generator generator = at::detail::createCPUGenerator(random.next());
  const LabeledBatches batches = first_samples(context, options_.samples);
  require_second_derivatives(name(), context, quantizers, stage, batches);
  int64_t images = 0;
  for (const auto& batch : batches) images += batch.first.size(0);
  const LabeledBatches parts =
      in_parts(batches, std::clamp<int64_t>(images / kFewestParts, 1, kLargestPart));

  std::vector<TraceEstimate> estimates(quantizers.size());
  std::vector<std::vector<PartOfImages>> found(quantizers.size());
  std::vector<bool> is_done(quantizers.size(), false);
  for (auto& of_tensor : found) {
    for (const auto& part : parts) {
      of_tensor.push_back(
          {.share = static_cast<double>(part.first.size(0)) / static_cast<double>(images)});
    }
  }
  for (int drawn = 1; drawn <= options_.vectors; ++drawn) {
    if (std::all_of(is_done.begin(), is_done.end(), [](bool done) { return done; })) break;
    for (size_t p = 0; p < parts.size(); ++p) {
      // Built anew for each vector: the graphs of all parts at once would fill the memory.
      const LossCurvature curvature(name(), context, quantizers, stage, parts[p].first,
                                    parts[p].second);
      for (size_t q = 0; q < quantizers.size(); ++q) {
        if (is_done[q]) continue;
        const Tensor v = random_signs(curvature.tensors()[q], generator);
        found[q][p].add((v * curvature.own_product(q, v)).sum(torch::kFloat64).item<double>());
      }
    }
    for (size_t q = 0; q < quantizers.size(); ++q) {
      if (is_done[q]) continue;
      estimates[q] = estimate_of(found[q]);
      estimates[q].vectors = drawn;
      is_done[q] = drawn >= kFewestVectors &&
                   estimates[q].vector_error <= options_.tolerance * std::abs(estimates[q].trace);
    }
  }
  for (size_t q = 0; q < quantizers.size(); ++q) {
    const auto is_measured = [](const PartOfImages& part) { return part.count > 0; };
    if (std::none_of(found[q].begin(), found[q].end(), is_measured)) {
      fail_non_finite(*quantizers[q], estimates[q].vectors * static_cast<int64_t>(parts.size()));
    }
  }
  return estimates;
}

CostTable HessianTrace::measure(SensitivityContext& context, const UniformQuantizers& quantizers,
                                Stage stage) {
  const auto estimates = traces(context, quantizers, stage);
  const auto errors =
      candidate_errors(context, quantizers, stage, first_samples(context, options_.samples));
  CostTable table;
  for (size_t q = 0; q < quantizers.size(); ++q) {
    const double trace = std::max(estimates[q].trace, estimates[q].standard_error);
    std::vector<double>& row = table.costs.emplace_back();
    for (const double noise : errors[q].mean_squares) {
      // The mean over the entries that move; where none does, there is no error.
      row.push_back(noise > 0 ? trace * noise / errors[q].movable / 2 : 0);
    }
  }
  table.accuracy = accuracy_text(quantizers, estimates);
  table.note = unresolved_text(quantizers, estimates, options_);
  int64_t products = 0, left_out = 0;
  for (const TraceEstimate& estimate : estimates) {
    products += estimate.products;
    left_out += estimate.left_out;
  }
  if (left_out > 0) {
    table.note +=
        (table.note.empty() ? "" : "; ") + non_finite_note(left_out, products, "Hessian products");
  }
  return table;
}

}  // namespace qbitopt
