#pragma once

#include <string>
#include <vector>

namespace qbitopt::worker {

// `qbitopt predict --model M --weights FILE [--allocation bits.json] [--json] [--logits] IMAGE...`:
// the five likeliest classes of each photograph, turned upright as its EXIF data say. The driver
// hands its arguments on. One photograph after another, so that memory does not grow with them and
// an answer does not depend on the others. Those that cannot be read are named on stderr. Returns
// the exit status: 0, 3 if some photographs could not be read, 2 if none could; throws InputError.
//
// A checkpoint that carries quantizers is run with them. With --allocation, quantizers are attached
// at the bits of that file (name -> bits; the others at 8) and their ranges are found on the first
// 64 images given: 8-bit post-training quantization of a published network is `{}`.
int predict(const std::vector<std::string>& arguments);

}  // namespace qbitopt::worker
