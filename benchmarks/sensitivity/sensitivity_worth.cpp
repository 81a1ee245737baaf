// Does a metric order allocations as the loss does? Draws random allocations of equal average bits,
// sums up what each metric predicts for them, and correlates that with the loss measured on
// held-out images after batch norm is re-estimated, without any training.
//
//   sensitivity_worth [--allocations N] [--images N] [--bits B] [--data FOLDER] MODEL=FILE...
//
// FILE: the artifact "model" of a finished fp32 job on Fashion-MNIST (`qbitopt show KEY` says where
// it lies). Three settings: weights and activations at B bits on average (3), weights alone,
// activations alone (the other kind then stays in full precision). A metric is asked once for each
// network, as a method asks it before training, and its costs are added up over the kinds at work.
//
// Writes results/bench/sensitivity_worth.json (Spearman's correlation with its 95% bootstrap
// interval), which sensitivity_worth.vl.json draws, and results/bench/sensitivity_worth.csv (every
// allocation's prediction and loss).

#include <cstdio>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "benchmarks/report.h"
#include "benchmarks/sensitivity/fashion_mnist.h"
#include "benchmarks/sensitivity/rank_correlation.h"
#include "benchmarks/sensitivity/subject.h"
#include "qbitopt/allocation/random_bits.h"
#include "qbitopt/core/error.h"
#include "qbitopt/data/batch_source.h"
#include "qbitopt/models/batch_norm.h"
#include "qbitopt/models/weights.h"
#include "qbitopt/quant/torch.h"
#include "qbitopt/sensitivity/candidate_errors.h"
#include "qbitopt/sensitivity/measured.h"

namespace qbitopt {
namespace {

struct Options {
  int allocations = 60;
  int64_t images = 2000;  // held-out images, in whole batches of 500
  int bits = 3;
  std::string data = bench::kFashionMnist;
  std::vector<std::string> metrics;                         // empty: all
  std::vector<std::pair<std::string, std::string>> models;  // name, file
};

struct Setting {
  const char* name;
  bool weights, activations;
};
constexpr Setting kSettings[] = {
    {"W and A", true, true}, {"W only", true, false}, {"A only", false, true}};

bool is_at_work(const Setting& setting, const Quantizer& quantizer) {
  return quantizer.spec().kind == TensorKind::kWeight ? setting.weights : setting.activations;
}

// Every kind's budget is `bits` on average over the counted tensors, by elements.
Problem problem_of(const bench::Subject& subject, int bits) {
  Problem problem;
  Budget weights{.name = "weight", .average_bits = {bits, 0}};
  Budget activations{.name = "activation", .average_bits = {bits, 0}};
  for (const QuantizerPtr& quantizer : subject.quantizers) {
    const QuantizerSpec& spec = quantizer->spec();
    const std::vector<int> candidates =
        spec.pinned_bits ? std::vector<int>{*spec.pinned_bits} : spec.candidate_bits;
    if (spec.counted) {
      auto& budget = spec.kind == TensorKind::kWeight ? weights : activations;
      budget.members.push_back(static_cast<int>(problem.quantizers.size()));
    }
    problem.quantizers.push_back(
        {spec.name, spec.elements, candidates, std::vector<double>(candidates.size(), 0.0)});
  }
  problem.budgets = {weights, activations};
  return problem;
}

size_t place_of(const Quantizer& quantizer, int bits) {
  const auto& candidates = quantizer.spec().candidate_bits;
  return static_cast<size_t>(std::find(candidates.begin(), candidates.end(), bits) -
                             candidates.begin());
}

class Worth {
 public:
  Worth(const std::string& model, const std::string& file, const Options& options)
      : options_(options), model_(model), subject_(model) {
    load_state(*subject_.network, read_weights(file), file);
    subject_.calibration = bench::fashion_mnist(options.data, Split::kTrain, 64, 8);
    held_out_ =
        bench::fashion_mnist(options.data, Split::kValidation, 500, (options.images + 499) / 500);
    {
      const BatchStatisticsScope scope(*subject_.network);
      subject_.quantize(options.bits);
      SensitivityContext context = subject_.context();
      ranges_ =
          candidate_errors(context, subject_.uniform, Stage::kBeforeTraining, subject_.calibration);
    }
    ask_metrics();
  }

  void run(Json& rows, std::ostream& points) {
    const Problem problem = problem_of(subject_, options_.bits);
    for (const Setting& setting : kSettings) {
      std::vector<double> losses;
      std::vector<std::vector<double>> predictions(tables_.size());
      for (int i = 0; i < options_.allocations; ++i) {
        RandomBits solver(static_cast<uint64_t>(i));
        const std::vector<int> bits = solver.solve(problem).bits;
        losses.push_back(loss_at(setting, bits));
        for (size_t m = 0; m < tables_.size(); ++m) {
          predictions[m].push_back(predict(tables_[m].second, setting, bits));
          points << model_ << ',' << setting.name << ',' << i << ',' << tables_[m].first << ','
                 << predictions[m].back() << ',' << losses.back() << '\n';
        }
      }
      for (size_t m = 0; m < tables_.size(); ++m) {
        const double correlation = bench::spearman(predictions[m], losses);
        const auto interval = bench::bootstrap_spearman(predictions[m], losses);
        rows.push_back({{"model", model_},
                        {"setting", setting.name},
                        {"average_bits", options_.bits},
                        {"metric", tables_[m].first},
                        {"spearman", correlation},
                        {"low", interval.low},
                        {"high", interval.high},
                        {"allocations", options_.allocations},
                        {"images", options_.images},
                        {"seconds", seconds_[m]}});
        std::printf("%-18s %-8s %-18s %6.3f  [%6.3f, %6.3f]\n", model_.c_str(), setting.name,
                    tables_[m].first.c_str(), correlation, interval.low, interval.high);
      }
      std::fflush(stdout);
    }
  }

 private:
  void ask_metrics() {
    SensitivityRegistry metrics("sensitivity");
    register_sensitivities(metrics);
    std::vector<std::string> names = options_.metrics;
    if (names.empty()) {
      names = metrics.names();
      for (const char* noise : {"measured", "optimal"})
        names.push_back(std::string("fit:fit.noise=") + noise);
    }
    for (const std::string& name : names) {
      const size_t colon = name.find(':');
      const auto metric = metrics.make(name.substr(0, colon), Parameters(options_of(name)));
      CostTable table;
      seconds_.push_back(bench::seconds([&] { table = subject_.estimate(*metric); }));
      std::printf("%-18s %-18s %.1f s\n", model_.c_str(), name.c_str(), seconds_.back());
      std::fflush(stdout);
      tables_.emplace_back(name, std::move(table));
    }
  }

  // "fit:fit.noise=measured" -> {"fit.noise": "measured"}.
  static Json options_of(const std::string& metric) {
    Json options = Json::object();
    std::istringstream words(metric.substr(std::min(metric.find(':'), metric.size() - 1) + 1));
    for (std::string word; std::getline(words, word, ',');) {
      const size_t equals = word.find('=');
      if (equals == std::string::npos) throw InputError("--metric " + metric + ": not KEY=VALUE");
      const std::string value = word.substr(equals + 1);
      const Json number = Json::parse(value, nullptr, /*allow_exceptions=*/false);
      options[word.substr(0, equals)] = number.is_number() ? number : Json(value);
    }
    return options;
  }

  double predict(const CostTable& table, const Setting& setting,
                 const std::vector<int>& bits) const {
    double sum = 0;
    for (size_t q = 0; q < bits.size(); ++q) {
      const Quantizer& quantizer = *subject_.quantizers[q];
      if (!is_at_work(setting, quantizer) || quantizer.spec().pinned_bits) continue;
      sum += table.costs[q][place_of(quantizer, bits[q])];
    }
    return sum;
  }

  // Mean cross-entropy on held-out images; widths and statistics are those of these bits.
  double loss_at(const Setting& setting, const std::vector<int>& bits) {
    const torch::NoGradGuard no_grad;
    Taps taps(subject_.uniform);
    for (size_t q = 0; q < bits.size(); ++q) {
      UniformQuantizer& quantizer = *subject_.uniform[q];
      if (!is_at_work(setting, quantizer)) taps.set(q, Stage::kBeforeTraining);
      quantizer.set_bits(bits[q]);
      quantizer.range().copy_(ranges_[q].ranges[place_of(quantizer, bits[q])]);
    }
    reestimate_batch_norm(*subject_.network, [&] {
      for (const auto& [images, labels] : subject_.calibration) subject_.network->forward(images);
    });
    subject_.network->eval();
    double sum = 0, count = 0;
    for (const auto& [images, labels] : held_out_) {
      sum += torch::cross_entropy_loss(subject_.network->forward(images), labels, /*weight=*/{},
                                       at::Reduction::Sum)
                 .item<double>();
      count += static_cast<double>(images.size(0));
    }
    return sum / count;
  }

  const Options& options_;
  std::string model_;
  bench::Subject subject_;
  bench::Batches held_out_;
  std::vector<TensorError> ranges_;
  std::vector<std::pair<std::string, CostTable>> tables_;
  std::vector<double> seconds_;
};

Options read_options(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const auto equals = argument.find('=');
    if (argument == "--data" && i + 1 < argc) {
      options.data = argv[++i];
    } else if (argument == "--metric" && i + 1 < argc) {
      options.metrics.emplace_back(argv[++i]);
    } else if (argument.starts_with("--") && i + 1 < argc) {
      const int value = std::atoi(argv[++i]);
      if (argument == "--allocations")
        options.allocations = value;
      else if (argument == "--images")
        options.images = value;
      else if (argument == "--bits")
        options.bits = value;
      else
        throw InputError("unknown option " + argument);
    } else if (equals != std::string::npos) {
      options.models.emplace_back(argument.substr(0, equals), argument.substr(equals + 1));
    } else {
      throw InputError("'" + argument + "' is not MODEL=FILE");
    }
  }
  if (options.models.empty()) {
    throw InputError(
        "usage: sensitivity_worth [--allocations N] [--images N] [--bits B] [--metric "
        "NAME[:KEY=VALUE,...]]... "
        "[--data FOLDER] "
        "MODEL=FILE..., FILE being the artifact \"model\" of an fp32 job");
  }
  return options;
}

void run(const Options& options) {
  Json rows = Json::array();
  std::ostringstream points;
  points << "model,setting,allocation,metric,predicted,loss\n";
  for (const auto& [model, file] : options.models) {
    Worth(model, file, options).run(rows, points);
  }
  const std::filesystem::path folder = "results/bench";
  std::filesystem::create_directories(folder);
  write_file_atomically(folder / "sensitivity_worth.json", rows.dump(2) + "\n");
  write_file_atomically(folder / "sensitivity_worth.csv", points.str());
  std::printf("wrote results/bench/sensitivity_worth.json and .csv\n");
}

}  // namespace
}  // namespace qbitopt

int main(int argc, char** argv) {
  try {
    torch::set_num_threads(1);  // as jobs run
    qbitopt::run(qbitopt::read_options(argc, argv));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "sensitivity_worth: %s\n", error.what());
    return 2;
  }
}
