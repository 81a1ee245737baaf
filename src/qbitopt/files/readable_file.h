#pragma once

#include <filesystem>
#include <string>

namespace qbitopt {

// Why there is no content to be read from `file`: "no such file", "is a link that leads nowhere",
// "is a folder", "is no regular file" (a pipe, a device), "cannot be opened: Permission denied".
// Empty: it can be read. Opens nothing, so that a pipe does not keep the caller waiting.
std::string fault_of_file(const std::filesystem::path& file);

}  // namespace qbitopt
