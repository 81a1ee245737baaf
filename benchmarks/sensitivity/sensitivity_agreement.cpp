// Does a metric measure, or is it noise? Asks every metric for the costs of all tensors at one
// bit-width, each time with other calibration images and another seed, and correlates the answers:
// Spearman's correlation of the costs, mean and minimum over the pairs of seeds. A metric whose
// order of the tensors changes with the images cannot choose their bits.
//
//   sensitivity_agreement [--seeds N] [--bits B] [--data FOLDER] [--metric NAME]... MODEL=FILE...
//
// FILE: as of sensitivity_worth. Seed s (0 to N - 1; default 3 seeds) calibrates on the s-th 8 batches
// of 64 training images. Tensors of pinned bits are left out: nobody chooses theirs. NAME: one of
// the list below (default: all).
//
// Writes results/bench/sensitivity_agreement.json.

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "benchmarks/report.h"
#include "benchmarks/sensitivity/fashion_mnist.h"
#include "benchmarks/sensitivity/rank_correlation.h"
#include "benchmarks/sensitivity/subject.h"
#include "qbitopt/core/error.h"
#include "qbitopt/models/weights.h"

namespace qbitopt {
namespace {

struct Variant {
  std::string label, metric;
  Json parameters = Json::object();
};

std::vector<Variant> variants() {
  return {{"fit", "fit"},
          {"fit, weights: split", "fit", {{"fit.weights", "split"}}},
          {"fit, noise: optimal", "fit", {{"fit.noise", "optimal"}}},
          {"fisher_exact", "fisher_exact"},
          {"output_fisher", "output_fisher"},
          {"hessian_trace", "hessian_trace"},
          {"hessian_eigenvalue", "hessian_eigenvalue"},
          {"learned_scale", "learned_scale"},
          {"loss_delta", "loss_delta"},
          {"output_kl", "output_kl"},
          {"sqnr", "sqnr"},
          {"quant_mse", "quant_mse"}};
}

struct Options {
  int seeds = 3;
  int bits = 3;
  std::string data = bench::kFashionMnist;
  std::vector<std::string> metrics;
  std::vector<std::pair<std::string, std::string>> models;  // name, file
};

enum Tensors { kAll, kWeights, kActivations, kGroups };
constexpr const char* kGroupNames[kGroups] = {"W and A", "W", "A"};

// What one seed answers: [group][tensor] in the order of the network.
struct Answer {
  std::vector<double> costs[kGroups];
  double seconds = 0;
  std::string said;
};

Answer ask(bench::Subject& subject, const Variant& variant, uint64_t seed, int bits) {
  SensitivityRegistry metrics("sensitivity");
  register_sensitivities(metrics);
  const auto metric = metrics.make(variant.metric, Parameters(variant.parameters));
  CostTable table;
  Answer answer;
  answer.seconds = bench::seconds([&] { table = subject.estimate(*metric, seed); });
  answer.said = table.accuracy + (table.note.empty() ? "" : "; warning: " + table.note);
  for (size_t q = 0; q < table.costs.size(); ++q) {
    const QuantizerSpec& spec = subject.quantizers[q]->spec();
    if (spec.pinned_bits) continue;
    const auto place = std::find(spec.candidate_bits.begin(), spec.candidate_bits.end(), bits);
    if (place == spec.candidate_bits.end()) {
      throw InputError("'" + spec.name + "' has no candidate of " + std::to_string(bits) +
                       " bits; --bits takes one that every tensor has");
    }
    const double cost = table.costs[q][static_cast<size_t>(place - spec.candidate_bits.begin())];
    answer.costs[kAll].push_back(cost);
    answer.costs[spec.kind == TensorKind::kWeight ? kWeights : kActivations].push_back(cost);
  }
  return answer;
}

// Adds a row for each group of tensors.
void compare(const std::string& model, const Variant& variant, const std::vector<Answer>& answers,
             Json& rows) {
  double seconds = 0;
  for (const Answer& answer : answers) seconds += answer.seconds / answers.size();
  std::printf("%-18s %-20s", model.c_str(), variant.label.c_str());
  for (int group = 0; group < kGroups; ++group) {
    double sum = 0, least = 1;
    int pairs = 0;
    for (size_t a = 0; a < answers.size(); ++a) {
      for (size_t b = 0; b < a; ++b, ++pairs) {
        const double rho = bench::spearman(answers[a].costs[group], answers[b].costs[group]);
        sum += rho;
        least = std::min(least, rho);
      }
    }
    std::printf("  %s %6.3f, least %6.3f", kGroupNames[group], sum / pairs, least);
    rows.push_back({{"model", model},
                    {"metric", variant.label},
                    {"tensors", kGroupNames[group]},
                    {"count", answers[0].costs[group].size()},
                    {"mean", sum / pairs},
                    {"least", least},
                    {"pairs", pairs},
                    {"seconds", seconds}});
  }
  const auto& costs = answers[0].costs[kAll];
  std::printf("  %zd of %zu costs 0 or less, %.1f s\n",
              std::count_if(costs.begin(), costs.end(), [](double cost) { return cost <= 0; }),
              costs.size(), seconds);
  for (const Answer& answer : answers) {
    if (!answer.said.empty()) std::printf("    %s\n", answer.said.c_str());
  }
  std::fflush(stdout);
}

void run(const Options& options) {
  torch::set_num_threads(1);
  Json rows = Json::array();
  for (const auto& [model, file] : options.models) {
    std::vector<std::unique_ptr<bench::Subject>> subjects;
    for (int seed = 0; seed < options.seeds; ++seed) {
      subjects.push_back(std::make_unique<bench::Subject>(model));
      bench::Subject& subject = *subjects.back();
      load_state(*subject.network, read_weights(file), file);
      subject.calibration = bench::fashion_mnist(options.data, Split::kTrain, 64, 8, 8 * seed);
      const BatchStatisticsScope scope(*subject.network);
      subject.quantize(options.bits);
    }
    for (const Variant& variant : variants()) {
      const auto& wanted = options.metrics;
      if (!wanted.empty() &&
          std::find(wanted.begin(), wanted.end(), variant.label) == wanted.end()) {
        continue;
      }
      std::vector<Answer> answers;
      for (size_t seed = 0; seed < subjects.size(); ++seed) {
        answers.push_back(ask(*subjects[seed], variant, seed, options.bits));
      }
      compare(model, variant, answers, rows);
    }
  }
  const std::filesystem::path folder = "results/bench";
  std::filesystem::create_directories(folder);
  write_file_atomically(folder / "sensitivity_agreement.json", rows.dump(2) + "\n");
  std::printf("wrote results/bench/sensitivity_agreement.json\n");
}

Options read_options(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const auto equals = argument.find('=');
    const bool has_value = i + 1 < argc;
    if (argument == "--data" && has_value) {
      options.data = argv[++i];
    } else if (argument == "--metric" && has_value) {
      options.metrics.emplace_back(argv[++i]);
    } else if (argument == "--seeds" && has_value) {
      options.seeds = std::atoi(argv[++i]);
    } else if (argument == "--bits" && has_value) {
      options.bits = std::atoi(argv[++i]);
    } else if (!argument.starts_with("--") && equals != std::string::npos) {
      options.models.emplace_back(argument.substr(0, equals), argument.substr(equals + 1));
    } else {
      throw InputError("'" + argument + "' is neither MODEL=FILE nor an option with its value");
    }
  }
  if (options.models.empty() || options.seeds < 2) {
    throw InputError(
        "usage: sensitivity_agreement [--seeds N, from 2] [--bits B] [--data FOLDER] "
        "[--metric NAME]... MODEL=FILE..., FILE being the artifact \"model\" of an fp32 job");
  }
  return options;
}

}  // namespace
}  // namespace qbitopt

int main(int argc, char** argv) {
  try {
    qbitopt::run(qbitopt::read_options(argc, argv));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "sensitivity_agreement: %s\n", error.what());
    return 2;
  }
}
