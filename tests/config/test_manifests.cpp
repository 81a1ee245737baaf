#include "config/test_manifests.h"

namespace qbitopt {
namespace {

constexpr char kData[] = "{kind: data, name: digits, version: 1, summary: Numbers.}";

std::vector<std::pair<std::string, std::string>> manifests(const std::string& data) {
  const std::string need =
      "needs:\n  fp32_checkpoint: {job: {method: fp32, seed: 0}, artifact: model}\n";
  const std::string includes = "includes: {training: optimization, '': [budget]}\n";
  const std::string startable =
      need + "  start_from: {optional: true, artifact: model}\n" + includes;
  const std::string quantized = need + includes;
  const auto head = [](const std::string& kind, const std::string& name) {
    return "kind: " + kind + "\nname: " + name + "\nversion: 1\nsummary: A " + kind + ".\n";
  };
  return {
      {"job.yaml", head("group", "job") + R"(
parameters:
  method: {type: method, required: true, description: Method.}
  model: {type: model, required: true, description: Network.}
  data.name: {type: data, default: digits, description: Data set.}
  seed: {type: int, default: 0, min: 0, description: Seed.}
)"},
      {"optimization.yaml", head("group", "optimization") + R"(
parameters:
  steps: {type: int, unit: steps, default: 100, min: 1, description: Steps.}
  learning_rate: {type: float, default: 0.05, min: 0, description: Rate.}
  threads: {type: int, default: 1, min: 1, description: Threads.}
)"},
      {"budget.yaml", head("group", "budget") + R"(
parameters:
  budget.average_bits: {type: decimal, unit: bits, default: 8, description: Limit.}
  budget.weights: {type: decimal, unit: bits, description: Limit.}
  budget.activations: {type: decimal, unit: bits, description: Limit.}
  budget.joint: {type: decimal, unit: bits, description: Limit.}
  quantizers.candidate_bits: {type: list of int, default: [2, 3, 4, 8], description: Candidates.}
)"},
      {"fp32.yaml", head("method", "fp32") + R"(
includes: {pretraining: optimization}
parameters:
  weights.root: {type: path, affects_result: false, description: Folder of published weights.}
)"},
      {"fixed_precision.yaml", head("method", "fixed_precision") + startable},
      {"qbitopt.yaml", head("method", "qbitopt") + startable + R"(
parameters:
  reallocation.tau: {type: int, unit: steps, default: 250, min: 1, description: Steps between allocations.}
  reallocation.min_gain: {type: float, default: 0, neutral: 0, description: Least gain.}
  sensitivity: {type: sensitivity, default: fit, description: Measure.}
  solver: {type: solver, default: relax_greedy, description: Solver.}
)"},
      {"fracbits.yaml", head("method", "fracbits") + quantized + R"(
guarantees_budget: false
parameters:
  fracbits.kappa: {type: float, default: 1, description: Strength.}
  fracbits.warmup_epochs: {type: int, default: 1, description: Warm-up.}
)"},
      {"replay.yaml", head("method", "replay") + R"(
needs:
  fp32_checkpoint: {job: {method: fp32, seed: 0}, artifact: model}
  allocation: {job: {method: $replay.method}, artifact: allocation}
includes: {training: optimization, '': [budget]}
parameters:
  replay.method: {type: string, default: qbitopt, description: Whose bits.}
)"},
      {"resnet8.yaml", head("model", "resnet8") + R"(
parameters:
  resnet8.width: {type: int, default: 16, description: Channels.}
)"},
      {"resnet18.yaml", head("model", "resnet18")},
      {"tiny.yaml",
       head("model", "tiny") + "head: fc\ncontents: [tiny.safetensors]\n" +
           "obtain: tiny.pth, then tools/convert_weights.py tiny.pth tiny.safetensors\n"},
      {"digits.yaml", data},
      {"fit.yaml", head("sensitivity", "fit")},
      {"hessian_trace.yaml", head("sensitivity", "hessian_trace") + R"(
parameters:
  hessian.samples: {type: int, default: 64, min: 1, description: Samples.}
)"},
      {"quant_mse.yaml", head("sensitivity", "quant_mse")},
      {"random.yaml", head("sensitivity", "random")},
      {"relax_greedy.yaml", head("solver", "relax_greedy")},
      {"exact.yaml", head("solver", "exact")},
      {"milp.yaml", head("solver", "milp")},
  };
}

}  // namespace

const Catalog& small_catalog() {
  static const Catalog catalog = Catalog::from_text(manifests(kData));
  return catalog;
}

Catalog catalog_with_data(const std::string& data_manifest) {
  return Catalog::from_text(manifests(data_manifest));
}

}  // namespace qbitopt
