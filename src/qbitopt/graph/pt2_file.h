#pragma once

#include <string_view>

#include "qbitopt/graph/graph.h"

namespace qbitopt {

// The network in what torch.export.save writes since PyTorch 2.8 (a `.pt2` file): a zip file with
// the graph as JSON (schema 8: pytorch, torch/_export/serde/schema.py) and the weights as bytes.
// One image tensor in, one tensor of logits out, exported in evaluation mode with any batch size.
//
// Files come from strangers: nothing in them is run, and time and memory stay within a small
// multiple of the file's size (of its unpacked size, where entries are compressed). Throws BadGraph
// for a file that is none, is damaged, or holds what cannot be trained here; the text names the
// operator and its module, and says what to do.
Graph read_pt2(std::string_view file);

}  // namespace qbitopt
