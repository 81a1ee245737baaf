#include "qbitopt/models/state_file.h"

#include <fmt/ranges.h>

#include <vector>

#include "qbitopt/core/error.h"

namespace qbitopt {
namespace {

// "a, b, c and 7 more"
std::string some_of(const std::vector<std::string>& names) {
  constexpr size_t kShown = 3;
  std::string text;
  for (size_t i = 0; i < names.size() && i < kShown; ++i) text += (i ? ", " : "") + names[i];
  if (names.size() > kShown) text += fmt::format(" and {} more", names.size() - kShown);
  return text;
}

std::string shape(const torch::Tensor& tensor) {
  return fmt::format("[{}]", fmt::join(tensor.sizes(), ", "));
}

// Files of before batch norm counted its batches, and files of networks without quantisers.
bool may_be_missing(const std::string& name) {
  return name.ends_with("num_batches_tracked") || name.find("_quantizer.") != std::string::npos;
}

}  // namespace

StateDict state_of(const torch::nn::Module& module) {
  StateDict state;
  for (const auto& item : module.named_parameters()) state[item.key()] = item.value().detach();
  for (const auto& item : module.named_buffers()) state[item.key()] = item.value();
  return state;
}

std::string to_state_file(const StateDict& state) {
  c10::Dict<std::string, torch::Tensor> dictionary;
  for (const auto& [name, tensor] : state) {
    dictionary.insert(name, tensor.to(torch::kCPU).contiguous());
  }
  const std::vector<char> bytes = torch::pickle_save(dictionary);
  return {bytes.begin(), bytes.end()};
}

void load_state(torch::nn::Module& module, const StateDict& state, const std::string& what) {
  StateDict own = state_of(module);
  std::vector<std::string> missing, surplus, differing;
  for (const auto& [name, tensor] : own) {
    const auto found = state.find(name);
    if (found == state.end()) {
      if (!may_be_missing(name)) missing.push_back(name);
    } else if (found->second.sizes() != tensor.sizes()) {
      differing.push_back(
          fmt::format("{} is {}, expected {}", name, shape(found->second), shape(tensor)));
    }
  }
  for (const auto& [name, tensor] : state) {
    if (!own.count(name)) surplus.push_back(name);
  }
  if (!missing.empty() || !surplus.empty() || !differing.empty()) {
    std::string text = what + " does not fit the network";
    if (!missing.empty()) text += "; missing: " + some_of(missing);
    if (!surplus.empty()) text += "; not in the network: " + some_of(surplus);
    if (!differing.empty()) text += "; " + some_of(differing);
    throw InputError(text);
  }
  const torch::NoGradGuard no_grad;
  for (auto& [name, tensor] : own) {
    const auto found = state.find(name);
    if (found != state.end()) tensor.copy_(found->second);
  }
}

}  // namespace qbitopt
