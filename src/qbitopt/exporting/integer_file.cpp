#include "qbitopt/exporting/integer_file.h"

#include "qbitopt/core/error.h"
#include "qbitopt/core/json.h"
#include "qbitopt/exporting/integer_grid.h"
#include "qbitopt/exporting/safetensors_file.h"
#include "qbitopt/models/state_file.h"
#include "qbitopt/models/weight_bytes.h"

namespace qbitopt {
namespace {

// The tensor that a site quantizes.
std::string weight_of(const Graph& graph, size_t site, const std::string& name) {
  for (const GraphNode& node : graph.nodes) {
    if (node.target != kQuantize ||
        std::get<int64_t>(*node.find("site")) != static_cast<int64_t>(site))
      continue;
    for (const GraphTensor& own : graph.tensors) {
      if (own.value == node.value("input")) return own.name;
    }
  }
  throw InputError("cannot be exported as codes: the weight '" + name +
                   "' is computed when the network runs");
}

}  // namespace

std::string integer_file(const GraphNetwork& network, std::map<std::string, std::string> metadata) {
  const torch::NoGradGuard no_grad;
  StateDict tensors;
  for (const auto& [name, tensor] : state_of(network)) {
    if (!is_of_quantizer(name)) tensors[name] = tensor.detach();
  }
  Json quantizers = Json::object();
  for (size_t number = 0; number < network.sites().size(); ++number) {
    const QuantizerSite* site = network.sites()[number];
    if (!site->quantizer()) continue;
    const IntegerGrid grid = integer_grid(*site);
    const std::string& name = site->spec().name;
    quantizers[name] = {{"bits", grid.bits}, {"lowest", grid.lowest}, {"highest", grid.highest}};
    tensors[name + ".scale"] = grid.scale;
    if (grid.offset) tensors[name + ".offset"] = torch::tensor({*grid.offset});
    if (site->spec().kind != TensorKind::kWeight) continue;
    torch::Tensor& weight = tensors.at(weight_of(network.graph(), number, name));
    weight = codes_of(*site, weight);
  }
  metadata["quantizers"] = quantizers.dump();
  metadata["weight_bytes"] = std::to_string(weight_bytes(network));
  return to_safetensors(tensors, metadata);
}

}  // namespace qbitopt
