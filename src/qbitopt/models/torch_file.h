#pragma once

#include <filesystem>

#include "qbitopt/models/state_file.h"

namespace qbitopt {

// Reads what torch.save writes since PyTorch 1.6, and LibTorch's pickle_save: a zip file with the
// pickle of a dictionary and the tensors' values. Taken are the tensors of the dictionary, or of
// the one under "state_dict", "model" or "state_dict_ema"; what else it holds is skipped. Nothing
// in the file is run: of the pickle only numbers, text, containers and tensors are made, everything
// else becomes nothing. (LibTorch's own pickle_load makes nothing of an OrderedDict, which is what
// every model's state is.) Throws InputError for a file that is damaged or holds no such
// dictionary.
StateDict read_torch_file(const std::filesystem::path& file);

}  // namespace qbitopt
