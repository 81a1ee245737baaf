#include "worker/inventory.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <iostream>
#include <set>
#include <sstream>

#include "qbitopt/core/error.h"
#include "qbitopt/core/json.h"
#include "qbitopt/core/names.h"
#include "qbitopt/models/graph_network.h"
#include "qbitopt/models/network.h"
#include "worker/arguments.h"

namespace qbitopt::worker {
namespace {

constexpr int kSmallestImage = 8;
constexpr int kLargestImage = 4096;

std::string grid_of(const QuantizerSpec& spec) {
  return spec.is_signed ? "signed" : spec.has_offset ? "offset" : "unsigned";
}

// Matrices that stay in float32 because no layer with quantizers has them as its weight: positions,
// scales, factors of a product. Empty if there are none.
std::string unquantized(const Network& network) {
  std::set<const void*> quantized;
  for (const LayerSites& layer : network.layer_sites()) {
    if (layer.weight && layer.latent.defined()) quantized.insert(layer.latent.data_ptr());
  }
  std::vector<std::string> names;
  int64_t values = 0;
  for (const auto& parameter : network.named_parameters()) {
    if (parameter.value().dim() < 2 || quantized.count(parameter.value().data_ptr())) continue;
    names.push_back(parameter.key());
    values += parameter.value().numel();
  }
  if (names.empty()) return "";
  constexpr size_t kMostNamed = 6;
  const bool is_long = names.size() > kMostNamed;
  const std::string rest = is_long ? fmt::format(" and {} more", names.size() - kMostNamed) : "";
  if (is_long) names.resize(kMostNamed);
  return fmt::format("without a quantizer: {}{} ({} parameters)\n", fmt::join(names, ", "), rest,
                     values);
}

// Lists the sizes that were measured on an image of this shape.
int print(Network& network, const std::vector<int64_t>& shape, bool as_json) {
  network.measure(shape);
  Json json = Json::array();
  std::string text = fmt::format("{:44} {:10} {:8} {:>10} {:>14}  bits\n", "quantizer", "kind",
                                 "grid", "elements", "MACs");
  int64_t macs = 0, parameters = 0;
  for (const torch::Tensor& parameter : network.parameters()) parameters += parameter.numel();
  for (const QuantizerSite* site : network.sites()) {
    const QuantizerSpec& spec = site->spec();
    const bool is_weight = spec.kind == TensorKind::kWeight;
    if (is_weight) macs += spec.macs;
    const std::string kind = is_weight ? "weight" : "activation";
    json.push_back({{"name", spec.name},
                    {"kind", kind},
                    {"grid", grid_of(spec)},
                    {"elements", spec.elements},
                    {"macs", spec.macs},
                    {"counted", spec.counted},
                    {"pinned_bits", spec.pinned_bits ? Json(*spec.pinned_bits) : Json()}});
    text += fmt::format("{:44} {:10} {:8} {:>10} {:>14}  {}\n", spec.name, kind, grid_of(spec),
                        spec.elements, spec.macs,
                        spec.pinned_bits ? fmt::format("pinned at {}", *spec.pinned_bits) : "free");
  }
  text += fmt::format("{} quantizers, {} parameters, {} MACs for an image of {}\n",
                      network.sites().size(), parameters, macs, fmt::join(shape, "x"));
  text += unquantized(network);
  std::cout << (as_json ? json.dump(2) + "\n" : text);
  return 0;
}

std::vector<std::string> patterns_of(const Arguments& arguments, const std::string& name) {
  std::vector<std::string> patterns;
  std::istringstream words(arguments.get_or(name, ""));
  for (std::string word; std::getline(words, word, ',');) patterns.push_back(word);
  return patterns;
}

void take_quantizers(const Arguments& arguments, NetworkOptions& options) {
  options.pinned = patterns_of(arguments, "pin");
  options.placement.skip = patterns_of(arguments, "skip");
  options.placement.products = arguments.has("products");
}

// A file gives the number of classes and the shape of the images.
int graph_inventory(const Arguments& arguments) {
  const std::string& file = arguments.words.front();
  const Graph graph = read_graph(file);
  for (const char* option : {"classes", "channels"}) {
    if (arguments.has(option))
      throw InputError(fmt::format(
          "--{} does not apply to a .pt2 file, which contains this number; leave it out", option));
  }
  std::vector<int64_t> shape = graph.image_shape();
  for (int64_t& size : shape)
    size = size < 0 ? arguments.number_or("image_size", 224, kSmallestImage, kLargestImage) : size;
  NetworkOptions options;
  options.classes = graph.classes();
  take_quantizers(arguments, options);
  return print(*read_graph_network(file, options), shape, arguments.has("json"));
}

}  // namespace

int inventory(const std::vector<std::string>& words) {
  const Arguments arguments = Arguments::parse(
      words, {"image_size", "channels", "classes", "skip", "pin"}, {"json", "products"});
  if (arguments.words.size() != 1)
    throw InputError("expected the name of one model, or one .pt2 file");
  const std::string& model = arguments.words.front();
  if (names_graph_file(model)) return graph_inventory(arguments);
  NetworkRegistry registry("model");
  register_networks(registry);
  const int64_t size = arguments.number("image_size", kSmallestImage, kLargestImage);
  const int64_t channels = arguments.number("channels", 1, 1024);
  const int64_t classes = arguments.number("classes", 2, 1'000'000);
  NetworkOptions options{.classes = classes, .image_channels = channels};
  take_quantizers(arguments, options);
  return print(*registry.make(model, options), {channels, size, size}, arguments.has("json"));
}

}  // namespace qbitopt::worker
