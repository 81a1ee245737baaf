#include "qbitopt/models/state_file.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "qbitopt/core/error.h"

namespace qbitopt {

bool is_of_quantizer(const std::string& name) {
  return name.find("_quantizer.") != std::string::npos;
}

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

// Files of before batch norm counted its batches, and files of networks without quantizers.
bool may_be_missing(const std::string& name) {
  return name.ends_with("num_batches_tracked") || is_of_quantizer(name);
}

// "'bn1.running_var' holds NaN (1 of 64 values)"; empty if all values are numbers.
std::string non_finite(const std::string& name, const torch::Tensor& stored) {
  if (!stored.is_floating_point()) return "";
  const torch::Tensor tensor = stored.to(torch::kFloat32);  // as networks hold it
  const auto count = [&](const torch::Tensor& bad) { return bad.sum().item<int64_t>(); };
  const auto text = [&](const char* what, int64_t values) {
    return fmt::format("'{}' holds {} ({} of {} values)", name, what, values, tensor.numel());
  };
  if (const int64_t values = count(tensor.isnan())) return text("NaN", values);
  if (is_of_quantizer(name)) return "";  // a method's may rule bit-widths out by infinity
  if (const int64_t values = count(tensor.isinf())) return text("infinity", values);
  if (!name.ends_with("running_var")) return "";
  const int64_t values = count(tensor < 0);
  return values > 0 ? text("a negative variance", values) : "";
}

// Where all that a network misses stands behind a prefix, beside other names: how to get it.
std::string advice_on_prefix(const std::vector<std::string>& missing, const StateDict& state,
                             const std::string& file) {
  if (missing.empty()) return "";
  for (const auto& [name, tensor] : state) {
    if (!name.ends_with("." + missing[0])) continue;
    const std::string prefix = name.substr(0, name.size() - missing[0].size());
    const bool has_all = std::all_of(missing.begin(), missing.end(), [&](const std::string& own) {
      return state.count(prefix + own) != 0;
    });
    if (!has_all) continue;
    return fmt::format(
        "; what is missing stands behind the prefix '{0}', beside other names; to take it out: "
        ".venv/bin/python tools/convert_weights.py {1} OUT.safetensors --prefix {0}",
        prefix, file);
  }
  return "";
}

}  // namespace

std::string non_finite_in(const StateDict& state) {
  std::vector<std::string> faults;
  for (const auto& [name, tensor] : state) {
    std::string fault = non_finite(name, tensor);
    if (!fault.empty()) faults.push_back(std::move(fault));
  }
  return some_of(faults);
}

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
    text += advice_on_prefix(missing, state, what);
    throw InputError(text);
  }
  if (const std::string faults = non_finite_in(state); !faults.empty()) {
    throw InputError(
        what + ": " + faults +
        "; no answer can come of that. The training that wrote it has diverged, or the "
        "file is damaged: take an earlier checkpoint, or another file");
  }
  const torch::NoGradGuard no_grad;
  for (auto& [name, tensor] : own) {
    const auto found = state.find(name);
    if (found != state.end()) tensor.copy_(found->second);
  }
}

}  // namespace qbitopt
