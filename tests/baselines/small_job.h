#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "qbitopt/graph/builder.h"
#include "qbitopt/methods/budget_problem.h"
#include "qbitopt/methods/gradient_search.h"
#include "qbitopt/models/graph_network.h"

namespace qbitopt {

// Four layers for images of 1 x 4 x 4, small enough to count by hand. What may be searched:
//
//                         weight elements   input elements   multiplications
//   a: 2 -> 3, 1 x 1                    6               32                96
//   b: 3 -> 6, 1 x 1, / 2              18               48                72
//
// The others, stem (1 -> 2, 3 x 3) and fc, are pinned and not counted.
inline std::unique_ptr<Network> make_small_network() {
  GraphBuilder graph(/*image_channels=*/1);
  ValueRef x = graph.relu(graph.conv2d("stem", graph.images(), {.out_channels = 2}));
  x = graph.relu(graph.conv2d("a", x, {.out_channels = 3, .kernel = 1}));
  x = graph.relu(graph.conv2d("b", x, {.out_channels = 6, .kernel = 1, .stride = 2}));
  x = graph.linear("fc", graph.mean(x), 2, /*bias=*/false);
  auto network = make_network(graph.finish(x), {}, {.classes = 2});
  network->measure({1, 4, 4});
  return network;
}

// A job on that network, as far as the penalty of a GradientSearch sees one: quantizers are the
// method's, bits are where a test puts them, and nothing is trained.
template <typename Search>
class SmallJob : public MethodContext {
 public:
  // `settings`: parameters of the method, and its budgets.
  explicit SmallJob(const Json& settings, int64_t total_steps = 100)
      : parameters_(settings), total_steps_(total_steps), method_(parameters_) {
    std::vector<QuantizerSpec> specs;
    for (QuantizerSite* site : network_->sites()) {
      specs.push_back(site->spec());
      quantizers_.push_back(method_.make_quantizer(site->spec(), parameters_));
      site->attach(quantizers_.back());
    }
    problem_ = budget_problem(specs, parameters_);
  }

  // The bit parameters of "a.weight", "a.input", "b.weight" or "b.input"; `which`: of several.
  torch::Tensor variables(const std::string& name, size_t which = 0) const {
    for (const QuantizerPtr& quantizer : quantizers_) {
      if (quantizer->spec().name != name) continue;
      return std::dynamic_pointer_cast<RelaxedQuantizer>(quantizer)->bit_parameters().at(which);
    }
    throw std::logic_error("no quantizer is called " + name);
  }
  void set(const std::string& name, const std::vector<float>& values, size_t which = 0) const {
    const torch::NoGradGuard no_grad;
    variables(name, which).copy_(torch::tensor(values));
  }

  // What the method adds to the loss of a step; undefined: nothing.
  torch::Tensor penalty(int64_t step = 0) {
    const Phase search = method_.phases(total_steps_).front();
    return method_.loss_term(*this, {.step = step, .phase = &search, .loss = torch::zeros({})});
  }

  const Parameters& parameters() const override { return parameters_; }
  Network& network() override { return *network_; }
  const std::vector<QuantizerPtr>& quantizers() const override { return quantizers_; }
  int64_t total_steps() const override { return total_steps_; }
  uint64_t seed() const override { return 0; }
  const Problem& problem() const override { return problem_; }
  std::string input(const std::string&) const override { return ""; }
  std::vector<Batch> calibration_batches() override { return {}; }
  void calibrate_ranges() override {}
  void report(EventBody) override {}

 private:
  Parameters parameters_;
  int64_t total_steps_;
  std::unique_ptr<Network> network_ = make_small_network();
  Search method_;
  std::vector<QuantizerPtr> quantizers_;
  Problem problem_;
};

}  // namespace qbitopt
