#pragma once

#include <string_view>

#include "qbitopt/weights/tensor_index.h"

namespace qbitopt {

// The tensors of what torch.save writes since PyTorch 1.6, and LibTorch's pickle_save: a zip file
// with the pickle of a dictionary and the tensors' values, uncompressed. Of a checkpoint, the
// dictionary of tensors one level down, or two: under "state_dict", "model_state_dict", "model",
// "net" and the like, or the only one there is. What else the file holds is skipped, and nothing in
// it is run. Throws BadWeights; where it holds several dictionaries of tensors, with their keys.
TensorIndex index_torch_file(std::string_view file);

}  // namespace qbitopt
