// Networks that a GraphBuilder writes down, run by GraphNetwork.

#include <gmock/gmock.h>
#include <torch/autograd.h>

#include <algorithm>

#include "qbitopt/graph/activations.h"
#include "qbitopt/graph/builder.h"
#include "qbitopt/models/batch_norm.h"
#include "qbitopt/models/graph_network.h"
#include "qbitopt/quant/uniform_quantizer.h"

namespace qbitopt {
namespace {

using torch::Tensor;

// Two convolutions with batch norm, ReLU6 between them, for images of one channel.
Graph two_blocks() {
  GraphBuilder graph(/*image_channels=*/1);
  ValueRef x = graph.batch_norm("a.1", graph.conv2d("a.0", graph.images(), {.out_channels = 4}));
  x = graph.activate(GraphActivation::kRelu6, x);
  x = graph.batch_norm("b.1", graph.conv2d("b.0", x, {.out_channels = 4, .groups = 4}));
  return graph.finish(graph.linear("fc", graph.mean(x), 3));
}

// `absorbs`: whether sites absorb activations.
std::unique_ptr<GraphNetwork> network_of(const Graph& graph, bool absorbs = true) {
  return std::make_unique<GraphNetwork>(absorbs ? quantize(graph) : insert_quantizers(graph),
                                        initial_values(graph, {}, /*seed=*/0), "the network",
                                        NetworkOptions{.classes = 3});
}

void quantize_at(int bits, Network& network, const Tensor& images) {
  std::vector<std::shared_ptr<UniformQuantizer>> quantizers;
  for (QuantizerSite* site : network.sites()) {
    quantizers.push_back(std::make_shared<UniformQuantizer>(site->spec()));
    quantizers.back()->set_bits(bits);
    site->attach(quantizers.back());
    quantizers.back()->begin_calibration();
  }
  {
    const torch::NoGradGuard no_grad;
    network.forward(images);
  }
  for (const auto& quantizer : quantizers) quantizer->end_calibration();
}

TEST(BuiltGraphTest, ASiteThatAbsorbsComputesWhatTheNodeDoes) {
  const auto joined = network_of(two_blocks());
  const auto separate = network_of(two_blocks(), /*absorbs=*/false);
  EXPECT_EQ(joined->sites()[2]->spec().absorbs, Activation::kRelu6);
  EXPECT_FALSE(joined->sites()[2]->spec().is_signed);
  EXPECT_EQ(separate->sites()[2]->spec().absorbs, Activation::kIdentity);
  const Tensor images = torch::randn({2, 1, 6, 6});
  EXPECT_TRUE(torch::equal(joined->forward(images), separate->forward(images)));
  for (GraphNetwork* network : {joined.get(), separate.get()}) {
    quantize_at(4, *network, images);
    network->forward(images).square().sum().backward();
  }
  EXPECT_TRUE(torch::equal(joined->forward(images), separate->forward(images)));
  for (const auto& item : joined->named_parameters()) {
    EXPECT_TRUE(
        torch::allclose(item.value().grad(), separate->named_parameters()[item.key()].grad()))
        << item.key();
  }
}

// Logits and gradients of a step, in training, and what it leaves in the running statistics.
std::map<std::string, Tensor> training_step(const std::string& model, int bits, bool joined,
                                            uint64_t seed) {
  NetworkRegistry registry("model");
  register_networks(registry);
  const auto network = registry.make(model, {.joined_passes = joined});
  const Tensor images = torch::randn({8, 1, 28, 28}, at::detail::createCPUGenerator(seed));
  reestimate_batch_norm(*network, [&] { network->forward(images); });
  if (bits > 0) quantize_at(bits, *network, images);
  network->train();
  const Tensor logits = network->forward(images);
  logits.square().sum().backward();
  std::map<std::string, Tensor> found = {{"logits", logits.detach()}};
  for (const auto& item : network->named_parameters()) found[item.key()] = item.value().grad();
  for (const auto& item : network->named_buffers()) found["buffer " + item.key()] = item.value();
  network->eval();
  found["logits in evaluation"] = network->forward(images).detach();
  return found;
}

TEST(BuiltGraphTest, JoinedPassesComputeWhatTheSeparateOnesDo) {
  for (const std::string model : {"mobilenet_v2_tiny", "resnet8"}) {
    for (const int bits : {0, 16}) {
      SCOPED_TRACE(testing::Message() << model << " at " << bits << " bits");
      // An activation within rounding of a kink has all of a gradient or none. So of several seeds,
      // the nearest counts: what is computed wrongly is so at each.
      std::map<std::string, double> nearest;
      for (uint64_t seed = 1; seed <= 5; ++seed) {
        auto separate = training_step(model, bits, false, seed);
        auto joined = training_step(model, bits, true, seed);
        ASSERT_EQ(joined.size(), separate.size());
        EXPECT_FALSE(torch::equal(joined["logits"], separate["logits"])) << "nothing was joined";
        for (const auto& [name, expected] : separate) {
          const double size = expected.to(torch::kFloat64).norm().item<double>();
          const double off = (joined[name] - expected).to(torch::kFloat64).norm().item<double>();
          const double error = off / ((bits > 0 ? 2e-3 : 1e-4) * size + 1e-4);
          const auto found = nearest.try_emplace(name, error).first;
          found->second = std::min(found->second, error);
        }
      }
      for (const auto& [name, error] : nearest) {
        // Roundings to other codes, as any change of the last digit brings, decide the rest.
        if (bits > 0 && !name.starts_with("logits") && !name.starts_with("buffer")) continue;
        EXPECT_LT(error, 1) << name;
      }
    }
  }
}

TEST(BuiltGraphTest, WhoLooksSeesEveryValueInSpiteOfJoinedPasses) {
  const auto network = std::make_unique<GraphNetwork>(
      quantize(two_blocks()), initial_values(two_blocks(), {}, 0), "the network",
      NetworkOptions{.classes = 3, .joined_passes = true});
  const Tensor images = torch::randn({2, 1, 6, 6});
  quantize_at(4, *network, images);
  network->train();
  int norms = 0;
  network->forward(images, [&](const GraphNode& node, const std::vector<c10::IValue>& values) {
    if (node.operation() != "aten.batch_norm") return;
    ++norms;
    EXPECT_TRUE(values[node.outputs.front()].isTensor());
  });
  EXPECT_EQ(norms, 2);
}

TEST(BuiltGraphTest, EverythingStaysChannelsLastEvenWithOneChannel) {
  const auto network = network_of(two_blocks());
  for (const LayerSites& layer : network->layer_sites()) {
    if (layer.latent.dim() != 4) continue;
    EXPECT_EQ(layer.latent.suggest_memory_format(), torch::MemoryFormat::ChannelsLast)
        << layer.weight->spec().name;
  }
  // One gray image has the same bytes in both formats: the weight decides.
  GraphBuilder graph(/*image_channels=*/1);
  const auto one = network_of(graph.finish(graph.conv2d("a", graph.images(), {.out_channels = 4})));
  EXPECT_EQ(one->forward(torch::randn({2, 1, 6, 6})).suggest_memory_format(),
            torch::MemoryFormat::ChannelsLast);
}

TEST(BuiltGraphTest, ParametersStandInTheOrderInWhichTheyWereWritten) {
  EXPECT_THAT(network_of(two_blocks())->named_parameters().keys(),
              testing::ElementsAre("a.0.weight", "a.1.weight", "a.1.bias", "b.0.weight",
                                   "b.1.weight", "b.1.bias", "fc.weight", "fc.bias"));
}

TEST(BuiltGraphTest, HardSigmoidHasASecondDerivative) {
  GraphBuilder graph(/*image_channels=*/1);
  const ValueRef x = graph.conv2d("a", graph.images(), {.out_channels = 2, .kernel = 1});
  const auto network = network_of(graph.finish(graph.hardsigmoid(x)));
  const Tensor images = torch::linspace(-4, 4, 9).reshape({1, 1, 3, 3});
  const Tensor weight = network->layer_sites()[0].latent;
  const Tensor factors = network->forward(images);
  EXPECT_TRUE(torch::allclose(factors, torch::hardsigmoid(images * weight.reshape({1, 2, 1, 1}))));
  const auto gradient = torch::autograd::grad({factors.square().sum()}, {weight}, {},
                                              /*retain_graph=*/true, /*create_graph=*/true)[0];
  EXPECT_NO_THROW(torch::autograd::grad({gradient.sum()}, {weight}));
}

TEST(BuiltGraphTest, AnImageThatIsTooSmallIsRefusedWithTheOperator) {
  GraphBuilder graph(/*image_channels=*/1);
  ValueRef x = graph.conv2d("a", graph.images(), {.out_channels = 3});
  x = graph.max_pool2d(x, /*kernel=*/3, /*stride=*/2, /*padding=*/0);
  const auto network = network_of(graph.finish(graph.mean(x)));
  try {
    network->measure({1, 2, 2});
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(),
                testing::AllOf(testing::HasSubstr("does not run on an image of 1x2x2"),
                               testing::HasSubstr("aten.max_pool2d.default")));
  }
}

}  // namespace
}  // namespace qbitopt
