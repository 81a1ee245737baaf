#pragma once

#include <string>
#include <vector>

namespace qbitopt::worker {

// `qbitopt export-network`: a trained network, with its quantizers, as a file for other programs.
// The driver has found the job and hands on:
//
//   [model.pth] [--job JSON] [--model net.pt2] --output FILE [--format F] [--opset N] [--no-fold]
//   [--encodings VERSION] [--examples FILE [--codes]]
//
// model.pth: what the job left; absent: the .pt2 file as it is. Throws InputError.
int export_network(const std::vector<std::string>& words);

}  // namespace qbitopt::worker
