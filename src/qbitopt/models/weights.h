#pragma once

#include <filesystem>
#include <string_view>

#include "qbitopt/models/state_file.h"
#include "qbitopt/weights/tensor_index.h"

namespace qbitopt {

// Reads the tensors of a file: safetensors, or what torch.save writes since PyTorch 1.6, under the
// names that the network itself has (see qbitopt/weights/). The content decides, not the file's
// name. Throws InputError that names the file, what was found and what to do; for what PyTorch alone
// can read, the converter.
StateDict read_weights(const std::filesystem::path& file);

// Likewise, for a network whose own names may begin alike, as wrappers' do: names stay as they are
// written where all of the network's are among them.
StateDict read_weights(const std::filesystem::path& file, const torch::nn::Module& network);

// The type that safetensors calls by this name, "F32"; one that an index of tensors holds.
torch::ScalarType scalar_type_of(const std::string& type);

// One tensor of a file that an index describes. Throws BadWeights if its bytes are damaged.
torch::Tensor read_tensor(std::string_view file, const StoredTensor& stored);

}  // namespace qbitopt
