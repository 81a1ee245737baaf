#pragma once

#include <string>

#include "qbitopt/weights/tensor_index.h"

namespace qbitopt {

// Names as the network itself has them, without what it was wrapped in: torch.compile
// (`_orig_mod.`), data parallelism (`module.`), Lightning (`model.`) or any other prefix that all
// names have in common and that leaves a layer before each tensor's name, several of them at once.
// What a wrapper has of its own (`n_averaged`: no dot in its name) goes with it.
TensorIndex without_wrappers(TensorIndex tensors);

}  // namespace qbitopt
