// The home of a parameter's default is its manifest. Code repeats some of them, for parts that are
// made without a job (benchmarks, `qbitopt solve`): those must be equal.

#include <gmock/gmock.h>

#include <filesystem>
#include <regex>

#include "qbitopt/allocation/exact.h"
#include "qbitopt/allocation/milp.h"
#include "qbitopt/config/catalog.h"
#include "qbitopt/core/text_file.h"
#include "qbitopt/models/network.h"
#include "qbitopt/quant/range_optimizer.h"
#include "qbitopt/quant/uniform_quantizer.h"
#include "qbitopt/sensitivity/hessian_eigenvalue.h"
#include "qbitopt/sensitivity/hessian_trace.h"
#include "qbitopt/sensitivity/learned_scale.h"
#include "qbitopt/training/oscillations.h"

namespace qbitopt {
namespace {

namespace fs = std::filesystem;

Json declared_default(const std::string& key) {
  const auto& keys = builtin_catalog().keys();
  const auto found = keys.find(key);
  return found == keys.end() ? Json("'" + key + "' is not declared") : found->second->default_value;
}

// A fallback of get_or() in the sources: its key in full, and the value as it is written.
struct Fallback {
  std::string place, key, written;
};

std::vector<Fallback> fallbacks_in_sources() {
  static const std::regex call("get_or(<[A-Za-z0-9_:]+>)?\\(\\s*\"([a-z0-9_.]+)\",\\s*([^()]*)");
  static const std::regex prefix("below\\(\"([a-z0-9_]+)\"\\)");
  std::vector<Fallback> found;
  for (const char* part : {"allocation", "methods", "models", "quant", "sensitivity", "training"}) {
    for (const auto& entry :
         fs::recursive_directory_iterator(fs::path(QBITOPT_SOURCE) / "src/qbitopt" / part)) {
      if (entry.path().extension() != ".cpp") continue;
      const std::string text = read_text(entry.path());
      for (std::sregex_iterator match(text.begin(), text.end(), call), end; match != end; ++match) {
        std::string key = (*match)[2], below;
        const std::string before = text.substr(0, static_cast<size_t>(match->position()));
        for (std::sregex_iterator last(before.begin(), before.end(), prefix); last != end; ++last)
          below = (*last)[1];
        const bool is_full =
            key.find('.') != std::string::npos || builtin_catalog().keys().contains(key);
        found.push_back(
            {entry.path().filename().string(), is_full ? key : below + "." + key, (*match)[3]});
      }
    }
  }
  return found;
}

TEST(DefaultsTest, FallbacksInTheSourcesAreTheManifestsDefaults) {
  const NetworkOptions network;
  const OscillationOptions oscillations;
  const RangeOptimizerOptions ranges;
  const HessianTraceOptions trace;
  const HessianEigenvalueOptions eigenvalue;
  const LearnedScaleOptions scale;
  // Those that are not written as a literal.
  const std::map<std::string, Json> values = {
      {"budget.weighting", "elements"},
      {"exact.time_limit", Exact::kTimeLimitSeconds},
      {"hessian_eigenvalue.iterations", eigenvalue.iterations},
      {"hessian_eigenvalue.samples", eigenvalue.samples},
      {"hessian_eigenvalue.tolerance", eigenvalue.tolerance},
      {"hessian_trace.samples", trace.samples},
      {"hessian_trace.tolerance", trace.tolerance},
      {"hessian_trace.vectors", trace.vectors},
      {"learned_scale.learning_rate", scale.learning_rate},
      {"learned_scale.samples", scale.samples},
      {"learned_scale.steps", scale.steps},
      {"learned_scale.weight_factor", scale.weight_factor},
      {"milp.time_limit", Milp::kTimeLimitSeconds},
      {"oscillations.dampening", oscillations.dampening},
      {"oscillations.dampening_start", oscillations.dampening_start},
      {"oscillations.freeze_threshold", oscillations.freeze_threshold},
      {"oscillations.freeze_threshold_start", oscillations.freeze_threshold_start},
      {"oscillations.max_bits", oscillations.max_bits},
      {"oscillations.momentum", oscillations.momentum},
      {"oscillations.track", oscillations.track},
      {"quantizers.candidate_bits", network.candidate_bits},
      {"quantizers.count_first_last", network.count_first_last},
      {"quantizers.first_last_bits", network.first_last_bits},
      {"quantizers.pin", network.pinned},
      {"quantizers.products", network.placement.products},
      {"quantizers.skip", network.placement.skip},
      {"quantizers.per_channel_weights", UniformQuantizerOptions{}.per_channel_weights},
      {"ranges.learning_rate", ranges.learning_rate},
      {"ranges.momentum", ranges.momentum},
      {"seed", 0}};
  // fp32 has no batch_norm.*, and does without. fit.decay follows from reallocation.tau.
  const std::set<std::string> of_their_own = {"batch_norm.freeze_at",
                                              "batch_norm.reestimate_batches", "fit.decay"};
  std::set<std::string> seen;
  for (const auto& [place, key, written] : fallbacks_in_sources()) {
    seen.insert(key);
    if (of_their_own.contains(key)) continue;
    const Json literal = Json::parse(written, nullptr, /*allow_exceptions=*/false);
    const auto value = values.find(key);
    ASSERT_TRUE(!literal.is_discarded() || value != values.end())
        << place << ": add the fallback of '" << key << "', " << written << ", to this test";
    EXPECT_EQ(literal.is_discarded() ? value->second : literal, declared_default(key))
        << place << ": '" << key << "'";
  }
  EXPECT_GE(seen.size(), 30u);
  for (const auto& [key, value] : values) EXPECT_TRUE(seen.contains(key)) << key << " has none";
}

TEST(DefaultsTest, ChoicesOfQuantizersAreTheManifestsDefaults) {
  Json defaults;
  for (const auto& [key, spec] : builtin_catalog().keys()) {
    if (!spec->default_value.is_null()) defaults[key] = spec->default_value;
  }
  const auto options = UniformQuantizerOptions::from(Parameters(defaults));
  EXPECT_EQ(options.signed_grid, UniformQuantizerOptions{}.signed_grid);
  EXPECT_EQ(options.range_init, UniformQuantizerOptions{}.range_init);
  EXPECT_EQ(options.lsq_grad_n, UniformQuantizerOptions{}.lsq_grad_n);
  EXPECT_EQ(options.range_at_change, UniformQuantizerOptions{}.range_at_change);
  EXPECT_EQ(RangeOptimizerOptions::from(Parameters(defaults)).kind, RangeOptimizerOptions{}.kind);
}

}  // namespace
}  // namespace qbitopt
