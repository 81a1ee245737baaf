#pragma once

#include <map>
#include <string>

namespace qbitopt::worker {

// What the results were made with: "cpu", "os", "libtorch", "compiler", "commit", "library_sha256".
std::map<std::string, std::string> environment();

std::string host_name();

}  // namespace qbitopt::worker
