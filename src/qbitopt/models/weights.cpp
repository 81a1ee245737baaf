#include "qbitopt/models/weights.h"

#include <fstream>
#include <string_view>
#include <vector>

#include "qbitopt/core/error.h"
#include "qbitopt/models/safetensors.h"
#include "qbitopt/models/torch_file.h"

namespace qbitopt {
namespace {

[[noreturn]] void refuse(const std::filesystem::path& file, const std::string& what) {
  throw InputError(file.string() + ": " + what);
}

NamedTensors without_prefix(NamedTensors tensors, std::string_view prefix) {
  for (const auto& [name, tensor] : tensors) {
    if (!name.starts_with(prefix)) return tensors;
  }
  NamedTensors shorter;
  for (auto& [name, tensor] : tensors) shorter.emplace(name.substr(prefix.size()), tensor);
  return shorter;
}

bool belongs_to_quantizer(const std::string& name) {
  return name.find("weight_quantizer.") != std::string::npos ||
         name.find("input_quantizer.") != std::string::npos;
}

NamedTensors state_of(Network& network) {
  NamedTensors state;
  for (const auto& item : network.named_parameters()) state.emplace(item.key(), item.value());
  for (const auto& item : network.named_buffers()) state.emplace(item.key(), item.value());
  std::erase_if(state, [](const auto& item) { return belongs_to_quantizer(item.first); });
  return state;
}

// "a, b, c and 4 more"
std::string some_of(const std::vector<std::string>& names) {
  constexpr size_t kShown = 3;
  std::string text;
  for (size_t i = 0; i < std::min(kShown, names.size()); ++i) text += (i ? ", " : "") + names[i];
  if (names.size() > kShown) text += " and " + std::to_string(names.size() - kShown) + " more";
  return text;
}

std::string shape_text(const torch::Tensor& tensor) {
  std::string text;
  for (const int64_t size : tensor.sizes())
    text += (text.empty() ? "" : " x ") + std::to_string(size);
  return text.empty() ? "a scalar" : text;
}

}  // namespace

NamedTensors read_weights(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream || std::filesystem::is_directory(file)) {
    refuse(file, std::filesystem::exists(file) ? "cannot be read" : "no such file");
  }
  char begin[4] = {};
  stream.read(begin, sizeof(begin));
  const std::string_view magic(begin, sizeof(begin));
  if (magic.starts_with("\x80")) {
    refuse(
        file,
        "is a pickle as PyTorch wrote it before version 1.6, which is not read here. Convert it: "
        ".venv/bin/python tools/convert_weights.py " +
            file.string() + " OUT.safetensors");
  }
  const bool is_zip = magic == std::string_view("PK\x03\x04", 4);
  return without_prefix(is_zip ? read_torch_file(file) : read_safetensors(file), "module.");
}

void load_weights(Network& network, const NamedTensors& weights, const std::string& source) {
  const NamedTensors state = state_of(network);
  std::vector<std::string> missing, left_over;
  for (const auto& [name, tensor] : state) {
    if (!weights.contains(name) && !name.ends_with("num_batches_tracked")) missing.push_back(name);
  }
  for (const auto& [name, tensor] : weights) {
    if (!state.contains(name) && !belongs_to_quantizer(name)) left_over.push_back(name);
  }
  if (!missing.empty() || !left_over.empty()) {
    throw InputError(source + ": does not fit the model:" +
                     (missing.empty() ? "" : " it lacks " + some_of(missing) + ";") +
                     (left_over.empty() ? "" : " the model has no " + some_of(left_over) + ";") +
                     " tools/convert_weights.py maps the names of other sources");
  }
  for (const auto& [name, tensor] : weights) {
    const auto own = state.find(name);
    if (own == state.end() || own->second.sizes() == tensor.sizes()) continue;
    throw InputError(source + ": '" + name + "' is " + shape_text(tensor) + "; the model has " +
                     shape_text(own->second));
  }
  const torch::NoGradGuard no_grad;
  for (auto [name, own] : state) {
    const auto found = weights.find(name);
    if (found != weights.end()) own.copy_(found->second);
  }
}

}  // namespace qbitopt
