#pragma once

#include <string>
#include <vector>

namespace qbitopt::worker {

// `qbitopt predict --model M --weights FILE [--allocation bits.json] [--json] [--logits] IMAGE...`:
// the five likeliest classes of each photograph. The driver hands its arguments on. Returns the
// exit status; throws InputError.
//
// A checkpoint that carries quantisers is run with them. With --allocation, quantisers are attached
// at the bits of that file (name -> bits; the others at 8) and their ranges are found on the images
// given: 8-bit post-training quantisation of a published network is `{}`.
int predict(const std::vector<std::string>& arguments);

}  // namespace qbitopt::worker
