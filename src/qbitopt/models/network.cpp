#include "qbitopt/models/network.h"

#include <algorithm>
#include <utility>

#include "qbitopt/core/error.h"
#include "qbitopt/core/patterns.h"

namespace qbitopt {

void NetworkOptions::take_quantizers(const Parameters& parameters) {
  candidate_bits = parameters.get_or("quantizers.candidate_bits", candidate_bits);
  first_last_bits = parameters.get_or("quantizers.first_last_bits", first_last_bits);
  count_first_last = parameters.get_or("quantizers.count_first_last", count_first_last);
  pinned = parameters.get_or("quantizers.pin", pinned);
  placement.skip = parameters.get_or("quantizers.skip", placement.skip);
  placement.products = parameters.get_or("quantizers.products", placement.products);
}

torch::nn::Module& Network::module_at(const std::string& path) {
  torch::nn::Module* module = this;
  for (size_t begin = 0; begin < path.size();) {
    const size_t dot = std::min(path.find('.', begin), path.size());
    const std::string name = path.substr(begin, dot - begin);
    const auto children = module->named_children();
    const auto* known = children.find(name);
    module = known ? known->get()
                   : module->register_module(name, std::make_shared<torch::nn::Module>()).get();
    begin = dot + 1;
  }
  return *module;
}

void Network::register_at(const std::string& path, std::shared_ptr<torch::nn::Module> module) {
  const size_t dot = path.rfind('.');
  torch::nn::Module& parent = dot == std::string::npos ? *this : module_at(path.substr(0, dot));
  parent.register_module(dot == std::string::npos ? path : path.substr(dot + 1), std::move(module));
}

void Network::finish_sites(const std::vector<QuantizerSite*>& ends,
                           const std::vector<QuantizerSite*>& images) {
  for (QuantizerSite* site : sites_) {
    std::vector<int>& candidates = site->spec().candidate_bits = options_.candidate_bits;
    if (site->spec().is_signed) std::erase(candidates, 1);  // one code is no grid
    if (candidates.empty()) {
      throw InputError("quantizers.candidate_bits leaves '" + site->spec().name +
                       "' none; signed tensors start at 2 bits");
    }
  }
  if (options_.first_last_bits == 1)
    throw InputError("quantizers.first_last_bits is 1; signed tensors start at 2 bits");
  const auto pin = [&](QuantizerSite* site, int bits) {
    site->spec().pinned_bits = bits;
    site->spec().counted = options_.count_first_last;
  };
  if (options_.first_last_bits > 0) {
    for (QuantizerSite* site : ends) pin(site, options_.first_last_bits);
  }
  std::vector<std::string> names;
  for (QuantizerSite* site : sites_) {
    names.push_back(site->spec().name);
    if (matches_any(options_.pinned, names.back()))
      pin(site, options_.first_last_bits > 0 ? options_.first_last_bits : 8);
  }
  const std::string unmatched = unmatched_pattern("quantizer", options_.pinned, names);
  if (!unmatched.empty()) throw InputError("quantizers.pin: " + unmatched);
  for (QuantizerSite* site : images) pin(site, 8);
}

}  // namespace qbitopt
