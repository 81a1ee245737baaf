#pragma once

#include <map>
#include <string>

namespace qbitopt::worker {

// Hardware and software of a run: "cpu", "os", "libtorch", "compiler", "commit", "library_sha256".
std::map<std::string, std::string> environment();

std::string host_name();

}  // namespace qbitopt::worker
