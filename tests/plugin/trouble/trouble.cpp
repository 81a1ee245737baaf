// Throws in the hook that `trouble.where` names, or ends with bits that it may not have.
#include <csignal>
#include <stdexcept>

#include "qbitopt/methods/budget_problem.h"
#include "qbitopt/plugin/plugin.h"

namespace {

using namespace qbitopt;  // NOLINT: a file of its own

class Trouble : public Method {
 public:
  explicit Trouble(const Parameters& parameters)
      : where_(parameters.get<std::string>("trouble.where")) {
    at("maker");
    if (where_ == "undeclared_parameter") parameters.get<int>("trouble.undeclared");
  }

  bool quantizes() const override {
    at("quantizes");
    return true;
  }
  QuantizerPtr make_quantizer(const QuantizerSpec& spec, const Parameters& parameters) override {
    at("make_quantizer");
    return Method::make_quantizer(spec, parameters);
  }
  std::vector<Phase> phases(int64_t total_steps) const override {
    at("phases");
    return Method::phases(total_steps);
  }
  std::vector<ExtraParameters> extra_parameters() override {
    at("extra_parameters");
    return {};
  }
  int backward_passes_per_step() const override {
    at("backward_passes_per_step");
    return 1;
  }
  void prepare(MethodContext&) override { at("prepare"); }
  void start(MethodContext& context) override {
    at("start");
    std::vector<int> bits = uniform_bits(context.problem());
    for (size_t i = 0; i < bits.size(); ++i) {
      const QuantizerPtr& quantizer = context.quantizers()[i];
      const bool is_free = !quantizer->spec().pinned_bits;
      if (is_free && where_ == "exceeded_budget") bits[i] = 8;
      if (is_free && where_ == "no_candidate") bits[i] = 9;
      quantizer->set_bits(bits[i]);
    }
    context.calibrate_ranges();
  }
  void begin_phase(MethodContext&, const Phase&) override { at("begin_phase"); }
  void before_step(MethodContext&, const StepState&) override {
    at("before_step");
    // As where a machine is taken back: the worker writes a checkpoint, and the job goes on from
    // it.
    if (where_ == "save" || where_ == "load") std::raise(SIGTERM);
  }
  torch::Tensor loss_term(MethodContext&, const StepState&) override {
    at("loss_term");
    return {};
  }
  void after_backward(MethodContext&, const StepState&) override { at("after_backward"); }
  void after_step(MethodContext&, const StepState&) override {
    at("after_step");
    if (where_ == "not_an_exception") throw 42;
  }
  void finish(MethodContext&) override { at("finish"); }
  void save(torch::serialize::OutputArchive&) const override { at("save"); }
  void load(torch::serialize::InputArchive&) override { at("load"); }

 private:
  void at(const char* hook) const {
    if (where_ == hook) throw std::runtime_error("trouble as ordered");
  }

  std::string where_;
};

}  // namespace

QBITOPT_PLUGIN(registries) {
  registries.methods.add("trouble",
                         [](const Parameters& p) { return std::make_unique<Trouble>(p); });
}
