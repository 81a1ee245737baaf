#pragma once

#include <map>
#include <string>

namespace qbitopt {

// Variables that make a worker compute with exactly so many threads, and its idle threads sleep.
std::map<std::string, std::string> thread_environment(int threads);

}  // namespace qbitopt
