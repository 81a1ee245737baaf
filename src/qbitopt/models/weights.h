#pragma once

#include <torch/torch.h>

#include <filesystem>
#include <map>
#include <string>

#include "qbitopt/models/network.h"

namespace qbitopt {

using NamedTensors = std::map<std::string, torch::Tensor>;

// Reads the tensors of a file: safetensors, or what torch.save writes since PyTorch 1.6 (a zip file
// with a dictionary of tensors, or with one under "state_dict", "model" or "state_dict_ema"). The
// content decides, not the name. "module." before every name is dropped. Code in a pickle never
// runs. Throws InputError that names the file, what was found and what to do; for an older pickle,
// the converter.
NamedTensors read_weights(const std::filesystem::path& file);

// Copies the tensors into the parameters and buffers of the same name; those of attached quantisers
// are left alone. Throws InputError, naming `source` and the first names or shapes that disagree,
// if one is missing (num_batches_tracked may be), left over or of another shape; then nothing was
// copied.
void load_weights(Network& network, const NamedTensors& weights, const std::string& source);

}  // namespace qbitopt
