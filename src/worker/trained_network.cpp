#include "worker/trained_network.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "qbitopt/core/error.h"
#include "qbitopt/core/json.h"
#include "qbitopt/models/graph_network.h"
#include "qbitopt/models/weights.h"
#include "qbitopt/quant/uniform_quantizer.h"

namespace qbitopt::worker {
namespace {

// Those that the file says were there. All that qbitopt's own methods train are uniform.
void attach_trained(Network& network, const StateDict& weights, const Parameters& parameters,
                    const std::string& file) {
  const auto options = UniformQuantizerOptions::from(parameters);
  for (QuantizerSite* site : network.sites()) {
    auto quantizer = std::make_shared<UniformQuantizer>(site->spec(), options);
    site->attach(quantizer);
  }
  const StateDict expected = state_of(network);
  std::set<std::string> found, missing;
  for (const auto& [name, tensor] : weights) {
    if (is_of_quantizer(name)) found.insert(name);
  }
  for (const auto& [name, tensor] : expected) {
    if (is_of_quantizer(name) && found.erase(name) == 0) missing.insert(name);
  }
  const bool has_quantizers = std::any_of(weights.begin(), weights.end(), [](const auto& entry) {
    return is_of_quantizer(entry.first);
  });
  if (!has_quantizers) {  // full precision
    for (QuantizerSite* site : network.sites()) site->detach();
    return;
  }
  if (missing.empty() && found.empty()) return;
  const std::string which = missing.empty() ? "also holds '" + *found.begin() + "'"
                                            : "holds no '" + *missing.begin() + "'";
  throw InputError(
      fmt::format("{} {}: its quantizers are not those of qbitopt, fixed_precision or replay; "
                  "train the bits that it found with `replay.method`, and take that job",
                  file, which));
}

}  // namespace

std::optional<Job> job_of(const Arguments& arguments) {
  if (!arguments.has("job")) return std::nullopt;
  return Json::parse(arguments.required("job")).get<Job>();
}

std::string graph_file_of(const Arguments& arguments, const std::optional<Job>& job) {
  if (arguments.has("model")) return arguments.required("model");
  if (!job || !job->parameters.contains("model.file")) return "";
  const auto file = job->parameters["model.file"].get<std::string>();
  if (!std::filesystem::exists(file)) {
    throw InputError(fmt::format(
        "{}: gone, and the job's network was made from it; put it back, or name its copy with "
        "--model FILE",
        file));
  }
  return file;
}

ImageFormat image_format_of(const Job& job) {
  const Parameters parameters(job.parameters);
  return image_format(parameters.get<std::string>("data.name"), parameters.below("data"));
}

std::unique_ptr<Network> make_built_in(const std::string& model, const StateDict& weights,
                                       NetworkOptions options) {
  NetworkRegistry registry("model");
  register_networks(registry);
  // With every quantizer, as those of the job may leave the last layer out.
  const auto plain = registry.make(
      model, NetworkOptions{.classes = options.classes, .image_channels = options.image_channels});
  const auto head = weights.find(plain->layer_sites().back().weight->spec().name);
  if (head != weights.end() && head->second.dim() == 2 && head->second.size(0) > 0)
    options.classes = head->second.size(0);
  return registry.make(model, options);
}

std::unique_ptr<Network> read_trained_network(const Job& job, const std::string& graph_file,
                                              const std::string& file,
                                              StoredQuantizers quantizers) {
  const Parameters parameters(job.parameters);
  NetworkOptions options;
  options.image_channels = image_format_of(job).shape.front();
  options.take_quantizers(parameters);
  StateDict weights;
  std::unique_ptr<Network> network;
  if (!graph_file.empty()) {
    options.classes = read_graph(graph_file).classes();
    network = read_graph_network(graph_file, options);
    weights = read_weights(file, *network);
  } else {
    weights = read_weights(file);
    network = make_built_in(parameters.get<std::string>("model"), weights, options);
  }
  if (quantizers == StoredQuantizers::kAttached) {
    attach_trained(*network, weights, parameters, file);
  } else {
    std::erase_if(weights, [](const auto& entry) { return is_of_quantizer(entry.first); });
  }
  load_state(*network, weights, file);
  network->eval();
  return network;
}

}  // namespace qbitopt::worker
