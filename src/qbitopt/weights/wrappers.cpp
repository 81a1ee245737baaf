#include "qbitopt/weights/wrappers.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace qbitopt {
namespace {

// Module names of PyTorch's own wrappers, which may stand anywhere in a name.
constexpr std::string_view kWrappers[] = {"_orig_mod.", "module.", "_fsdp_wrapped_module.",
                                          "_checkpoint_wrapped_module."};

bool is_wrapper(std::string_view component) {
  return std::find(std::begin(kWrappers), std::end(kWrappers), component) != std::end(kWrappers);
}

bool has_dot(std::string_view name) { return name.find('.') != std::string_view::npos; }

// "layer1." of "layer1.0.conv1.weight"; empty without a dot.
std::string_view first_component(std::string_view name) {
  return name.substr(0, name.find('.') + 1);
}

// The first component of all names that have a dot, if it is a wrapper's; else empty.
std::string wrapper_of_all(const TensorIndex& tensors) {
  std::string_view common;
  bool leaves_layers = true;
  for (const auto& [name, tensor] : tensors) {
    if (!has_dot(name)) continue;
    if (common.empty()) common = first_component(name);
    if (!name.starts_with(common)) return "";
    leaves_layers &= has_dot(std::string_view(name).substr(common.size()));
  }
  return leaves_layers || is_wrapper(common) ? std::string(common) : "";
}

std::string without_inner_wrappers(const std::string& name) {
  std::string kept;
  for (std::string_view rest = name; !rest.empty();) {
    const std::string_view component = has_dot(rest) ? first_component(rest) : rest;
    if (!is_wrapper(component)) kept += component;
    rest.remove_prefix(component.size());
  }
  return kept;
}

}  // namespace

TensorIndex without_wrappers(TensorIndex tensors) {
  for (std::string prefix; !(prefix = wrapper_of_all(tensors)).empty();) {
    TensorIndex inner;
    for (auto& [name, tensor] : tensors) {
      if (name.starts_with(prefix)) inner.emplace(name.substr(prefix.size()), std::move(tensor));
    }
    tensors = std::move(inner);
  }
  TensorIndex inner;
  for (const auto& [name, tensor] : tensors) {
    const bool is_new = inner.emplace(without_inner_wrappers(name), tensor).second;
    if (!is_new) return tensors;
  }
  return inner;
}

}  // namespace qbitopt
