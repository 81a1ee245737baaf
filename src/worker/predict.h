#pragma once

#include <string>
#include <vector>

namespace qbitopt::worker {

// `qbitopt predict`: prints the five most likely classes of each photograph, rotated according to
// its EXIF data. The driver has found the job, if one trained the network, and hands on:
//
//   [--job JSON] [--model M] [--weights FILE] [--allocation bits.json] [--mean R,G,B]
//   [--deviation R,G,B] [--products] [--json] [--logits] -- IMAGE...
//
// Photographs are classified one by one, so that memory does not grow with their number and a
// result does not depend on the others. Those that cannot be read are listed on stderr. Returns the
// exit status: 0, 3 if some photographs could not be read, 2 if none could; throws InputError.
//
// With a job the network has the quantizers, the grids, the image size and the normalization that
// the job trained with. With --allocation, quantizers are attached with the bits of that file (name
// -> bits; the others have 8), and their ranges are calibrated on the first 64 images: 8-bit
// post-training quantization of a published network is `{}`.
int predict(const std::vector<std::string>& arguments);

}  // namespace qbitopt::worker
