#pragma once

#include <map>
#include <string>

#include "qbitopt/models/graph_network.h"

namespace qbitopt {

// The bytes of a safetensors file: the network's tensors under their names, with the codes of each
// quantized weight (I8 or U8) in the weight's place. Beside them, for every quantizer:
//
//   <quantizer>.scale    F32 [1] or [channels]: value = scale * code + offset
//   <quantizer>.offset   F32 [1], only where there is one
//
// The metadata are `metadata` and "quantizers" (JSON: bits, lowest and highest code of each) and
// "weight_bytes": what the quantized weights take if each code has as many bits as its quantizer
// says, as tables report it. Throws InputError as integer_grid() does.
std::string integer_file(const GraphNetwork& network, std::map<std::string, std::string> metadata);

}  // namespace qbitopt
