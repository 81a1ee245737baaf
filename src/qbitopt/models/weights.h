#pragma once

#include <filesystem>

#include "qbitopt/models/state_file.h"

namespace qbitopt {

// Reads the tensors of a file: safetensors, or what torch.save writes since PyTorch 1.6 (see
// torch_file.h). The content decides, not the name. "module." before every name is dropped. Throws
// InputError that names the file, what was found and what to do; for an older pickle, the
// converter.
StateDict read_weights(const std::filesystem::path& file);

}  // namespace qbitopt
