#pragma once

#include <filesystem>
#include <string>

namespace qbitopt {

// What this library was built from and with, as every plugin built for it says, too:
//   @qbitopt-plugin api=1 qbitopt=0.1.0+5f1c0a9e7d2b torch=2.13.0 compiler=gcc-12 cxx11-abi=1
//   asan=0@                                                                      (in one line)
std::string own_stamp();

// The stamp in a file, which is not loaded; empty if there is none.
// Throws JobError "plugin" if the file cannot be read.
std::string read_stamp(const std::filesystem::path& file);

// Why a plugin with this stamp cannot be loaded here, and what to do; empty if it can. Names every
// field that differs and shows both stamps, one below the other.
std::string stamp_trouble(const std::string& plugin, const std::string& own);

}  // namespace qbitopt
