#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "qbitopt/graph/quantizers.h"
#include "qbitopt/models/image_convolution.h"
#include "qbitopt/models/initialization.h"
#include "qbitopt/models/network.h"
#include "qbitopt/models/operator_call.h"
#include "qbitopt/models/state_file.h"

namespace qbitopt {

// A network that runs a graph, operator by operator, with PyTorch's own kernels and gradients.
// Activations that a site absorbs are applied by that site. What evaluation and training do
// differently follows this module's mode: dropout, and batch norms, which are BatchNorm2d modules
// here whatever their dimension, so that freeze_batch_norm() and the like find them. Weights of 2d
// convolutions lie in memory channels-last. Values are freed after their last use.
class GraphNetwork : public Network {
 public:
  // `tensors`: the values of graph.tensors by name, which are copied; 16-bit ones become float32.
  // Throws BadGraph for operators that cannot be run, and InputError as finish_sites() does.
  // `source`: the file's name, for the errors of measure().
  GraphNetwork(QuantizedGraph graph, const StateDict& tensors, std::string source,
               const NetworkOptions& options);

  torch::Tensor forward(const torch::Tensor& images) override;

  // After each node: the values of the graph that are there, those that it was the last to read
  // included.
  using Look = std::function<void(const GraphNode& node, const std::vector<c10::IValue>& values)>;
  torch::Tensor forward(const torch::Tensor& images, const Look& look);

  // Throws InputError that names the operator, where LibTorch refuses an image of this shape or
  // knows no derivative between the weights and the logits.
  void measure(at::IntArrayRef image_shape) override;

  std::vector<LayerSites> layer_sites() const override;

  // Whole, with the nodes that sites absorb.
  const Graph& graph() const { return quantized_.graph; }

 private:
  struct Skip {};  // what a site absorbs
  struct Quantize {
    size_t site, input, output;
  };
  struct Arithmetic {  // of two whole numbers
    std::string operation;
    GraphArgument left, right;
    size_t output;
  };
  struct BatchNorm {
    torch::nn::BatchNorm2dImpl* module;
    size_t input, output;
    std::optional<size_t> weight, bias;
    double epsilon;
    std::optional<Quantize> reader;  // the only one; it may share the batch norm's passes
  };
  // relu6(x + 3) / 6. PyTorch's own hard-sigmoid has no second derivative, which Hessians need.
  struct HardSigmoid {
    size_t input, output;
  };
  // One whose input must not lie channels-last (see is_narrow()).
  struct NarrowConvolution {
    OperatorCall call;
    size_t input;
  };
  // Any conv2d() of one group. In training, convolve_image() does it where it can.
  struct ImageConvolution {
    OperatorCall call;
    size_t input, weight, output;
    std::optional<size_t> bias;
    ConvolutionGeometry geometry;
  };
  using Action = std::variant<OperatorCall, NarrowConvolution, ImageConvolution, Skip, Quantize,
                              Arithmetic, BatchNorm, HardSigmoid>;
  struct Step {
    Action action;
    std::vector<size_t> last_uses;  // values that nothing reads afterwards
  };
  struct Owned {
    size_t value;
    torch::Tensor tensor;
  };
  struct OwnedNorm {
    torch::nn::BatchNorm2d module;
    bool is_registered = false;
  };

  void make_batch_norms(const StateDict& tensors);
  void add_tensors(const StateDict& tensors);
  void add_sites();
  void add_steps();
  void join_passes();
  void add_last_uses();
  Action action_of(const GraphNode& node);
  torch::nn::BatchNorm2dImpl* batch_norm_of(const GraphNode& node) const;
  // The name of the tensor that a node's argument is; empty if it is none of the network's own.
  std::string tensor_name(const GraphNode& node, const char* argument) const;

  void take(const Step& step, std::vector<c10::IValue>& values, torch::Device device);
  void normalize(const BatchNorm& norm, std::vector<c10::IValue>& values);
  bool normalize_and_quantize(const BatchNorm& norm, double factor,
                              std::vector<c10::IValue>& values);
  torch::Tensor run(const torch::Tensor& images, bool measures, const Look& look = nullptr);
  void measure_site(size_t site, const torch::Tensor& x);
  void measure_layer(const GraphLayer& layer, const std::vector<c10::IValue>& values);
  void measure_product(const GraphProduct& product, const std::vector<c10::IValue>& values);
  QuantizerSite* site(std::optional<size_t> number) const;  // null for none
  void expect_images(at::IntArrayRef shape) const;
  void expect_logits(const torch::Tensor& logits) const;
  void expect_derivative(const GraphNode& node, const std::vector<c10::IValue>& values) const;

  QuantizedGraph quantized_;
  std::string source_;
  std::map<std::string, OwnedNorm> batch_norms_;  // by path
  std::map<size_t, std::string> names_;           // of the tensors, by value
  std::vector<Owned> owned_;
  std::vector<torch::Tensor> latents_;                     // of each layer, as LayerSites has it
  std::vector<std::unique_ptr<QuantizerSite>> own_sites_;  // in the graph's numbering
  std::vector<int64_t> layer_macs_;
  std::vector<Step> steps_;  // one for each node
  bool keeps_layout_ = false;
  bool shows_values_ = false;  // a look is there: every value must be
};

// A network with `initialization`, from options.seed. `graph`: before its quantizers are in.
std::unique_ptr<Network> make_network(Graph graph, const Initialization& initialization,
                                      const NetworkOptions& options);

// The graph of a .pt2 file. Throws InputError with the file's name if it cannot be read.
Graph read_graph(const std::filesystem::path& file);

// The network of a .pt2 file, with the file's weights. Throws InputError with the file's name if it
// cannot be read or run, or if its classes are not those of `options`.
std::unique_ptr<Network> read_graph_network(const std::filesystem::path& file,
                                            const NetworkOptions& options);

}  // namespace qbitopt
