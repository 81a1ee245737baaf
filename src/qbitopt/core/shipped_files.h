#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace qbitopt {

// Sweeps, recipes, queries and table definitions come with the program: installed in
// PREFIX/share/qbitopt, in a checkout at its top.

// The folder that holds sweeps/, experiments/ and results/. Empty if the program has neither place.
std::filesystem::path shipped_folder();

// `relative` ("sweeps/quick.yaml") as it is, if there is such a file below the working folder; else
// the one that came with the program, if it has one; else as it is.
std::filesystem::path shipped_file(const std::filesystem::path& relative);

// Names without extension of the files below both folders: shipped_names("sweeps", ".yaml") has
// "quick". Sorted, each once.
std::vector<std::string> shipped_names(const std::filesystem::path& folder,
                                       const std::string& extension);

}  // namespace qbitopt
