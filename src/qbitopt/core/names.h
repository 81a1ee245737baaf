#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace qbitopt {

// The entry of `known` that a person most likely meant by `name`; empty if none is near (more than
// a third of the letters would have to change).
std::string nearest_name(std::string_view name, const std::vector<std::string>& known);

// "unknown solver 'gredy'; known solvers: exact, milp, relax_greedy", with "did you mean ...?" if
// one is near.
std::string unknown_name(std::string_view kind, std::string_view name,
                         std::vector<std::string> known);

// Whether a model is given as a file of torch.export.save (net.pt2), not by a registered name.
bool names_graph_file(std::string_view model);

}  // namespace qbitopt
