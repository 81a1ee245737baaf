#include "qbitopt/models/state_file.h"

#include <fmt/ranges.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
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

std::string shape(const torch::Tensor& tensor) { return fmt::format("[{}]", fmt::join(tensor.sizes(), ", ")); }

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

StateDict read_state_file(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) {
    throw InputError(fmt::format("cannot read the weights in {}: {}", file.string(), std::strerror(errno)));
  }
  const std::vector<char> bytes((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
  StateDict state;
  try {
    const c10::IValue value = torch::pickle_load(bytes);
    for (const auto& entry : value.toGenericDict()) {
      state[entry.key().toStringRef()] = entry.value().toTensor();
    }
  } catch (const c10::Error& error) {
    throw InputError(fmt::format("{} is damaged or holds no dictionary of tensors: {}", file.string(),
                                 error.what_without_backtrace()));
  }
  return state;
}

void load_state(torch::nn::Module& module, const StateDict& state, const std::string& what) {
  StateDict own = state_of(module);
  std::vector<std::string> missing, surplus, differing;
  for (const auto& [name, tensor] : own) {
    const auto found = state.find(name);
    if (found == state.end()) {
      missing.push_back(name);
    } else if (found->second.sizes() != tensor.sizes()) {
      differing.push_back(fmt::format("{} is {}, expected {}", name, shape(found->second), shape(tensor)));
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
  for (auto& [name, tensor] : own) tensor.copy_(state.at(name));
}

}  // namespace qbitopt
