#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "qbitopt/quant/torch.h"

namespace qbitopt {

// Parameters and buffers under their published names.
using StateDict = std::map<std::string, torch::Tensor>;

// Whether a tensor of this name belongs to a quantizer that is attached to a network.
bool is_of_quantizer(const std::string& name);

StateDict state_of(const torch::nn::Module& module);

// Bytes of a zip file that Python's torch.load() reads as a dictionary of tensors; see weights.h
// for the way back.
std::string to_state_file(const StateDict& state);

// What is no number in a state, by tensor: "'bn1.running_var' holds NaN (1 of 64 values)"; also a
// negative running variance, whose root is none. Quantizers may hold infinity. Empty if all is well.
std::string non_finite_in(const StateDict& state);

// Copies values into the module. `what` names the source (a file) in errors. Throws InputError that
// lists the missing, surplus and differently shaped entries, or those that hold NaN or infinity;
// nothing is changed then. Batch norm's counters and what belongs to attached quantizers may be
// missing: they stay as they are.
void load_state(torch::nn::Module& module, const StateDict& state, const std::string& what);

}  // namespace qbitopt
