#pragma once

#include <filesystem>

#include "qbitopt/models/state_file.h"

namespace qbitopt {

// Reads the tensors of a file: safetensors, or what torch.save writes since PyTorch 1.6, under the
// names that the network itself has (see qbitopt/weights/). The content decides, not the file's
// name. Throws InputError that names the file, what was found and what to do; for what PyTorch alone
// can read, the converter.
StateDict read_weights(const std::filesystem::path& file);

}  // namespace qbitopt
