// Our side of qat.py: trains one network, a step a request. Reads one JSON object per line and
// answers with one. Peers speak the same (qat_peers/serve.py).
//
//   {"subject": "fp32" | "fixed" | "qbitopt", "network": "resnet20", "image": [1, 28, 28],
//    "classes": 10, "batch": 128}
//     makes the network -> {"parameters", "quantizers": {"weights", "activations"}, "version"}
//   {"export": FILE}           weights and batch, as torch.load() reads them -> {}
//   {"step": true, "threads"}  -> {"cpu", "wall": seconds, "loss"}
//   {"memory": true}           -> {"start": bytes before the network was made, "peak": bytes since};
//     without mapped files, so that no code of libraries counts

#include <torch/version.h>

#include <ctime>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>

#include "benchmarks/quant/trainee.h"
#include "benchmarks/report.h"
#include "qbitopt/core/json.h"
#include "qbitopt/models/state_file.h"

namespace qbitopt::bench {
namespace {

double cpu_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

// A line of /proc/self/status, in bytes.
int64_t memory(const std::string& name) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(name + ":")) return 1024 * std::stoll(line.substr(name.size() + 1));
  }
  return 0;
}

class Service {
 public:
  Json answer(const Json& request) {
    if (request.contains("subject")) return make(request);
    if (request.contains("export")) return write(request.at("export"));
    if (request.contains("memory")) {
      const int64_t files = memory("RssFile") + memory("RssShmem");
      return {{"start", start_}, {"peak", memory("VmHWM") - files}};
    }
    return step(request.at("threads"));
  }

 private:
  Json make(const Json& request) {
    start_ = memory("RssAnon");
    std::ofstream("/proc/self/clear_refs") << 5;  // the peak so far is forgotten
    const std::map<std::string, Training> kinds = {
        {"fp32", Training::kFp32}, {"fixed", Training::kFixed}, {"qbitopt", Training::kQbitopt}};
    trainee_ = std::make_unique<Trainee>(request.at("network"), request.at("batch"),
                                         request.at("image").get<std::vector<int64_t>>(),
                                         request.at("classes"), kinds.at(request.at("subject")));
    int64_t parameters = 0, ranges = 0, weights = 0;
    for (const torch::Tensor& parameter : trainee_->network().parameters())
      parameters += parameter.numel();
    for (const QuantizerPtr& quantizer : trainee_->quantizers()) {
      for (const torch::Tensor& range : quantizer->parameters()) ranges += range.numel();
      weights += quantizer->spec().kind == TensorKind::kWeight;
    }
    const auto all = static_cast<int64_t>(trainee_->quantizers().size());
    return {{"parameters", parameters - ranges},
            {"quantizers", {{"weights", weights}, {"activations", all - weights}}},
            {"version", "LibTorch " TORCH_VERSION}};
  }

  Json write(const std::string& file) {
    StateDict content = state_of(trainee_->network());
    content["images"] = trainee_->images();
    content["labels"] = trainee_->labels();
    write_file_atomically(file, to_state_file(content));
    return Json::object();
  }

  Json step(int threads) {
    torch::set_num_threads(threads);
    torch::manual_seed(1);  // dropout is the same everywhere
    double loss = 0;
    const double before = cpu_seconds();
    const double wall = seconds([&] { loss = trainee_->step().item<double>(); });
    return {{"cpu", cpu_seconds() - before}, {"wall", wall}, {"loss", loss}};
  }

  int64_t start_ = 0;  // bytes
  std::unique_ptr<Trainee> trainee_;
};

}  // namespace
}  // namespace qbitopt::bench

int main() {
  qbitopt::bench::Service service;
  for (std::string line; std::getline(std::cin, line);)
    std::cout << service.answer(qbitopt::Json::parse(line)).dump() << std::endl;
}
