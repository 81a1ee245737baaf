#pragma once

#include <filesystem>
#include <string>

namespace qbitopt {

// Small files that jobs of a queue leave in shared folders. None of these functions throws: a file
// that cannot be read is one that is not there.

bool is_there(const std::filesystem::path& file);
// Empty if the file is not there.
std::string first_line_of(const std::filesystem::path& file);
// The last line that is not blank.
std::string last_line_of(const std::filesystem::path& file);
// Reads a folder and forgets what is in it: a network file system may go on saying that a file is not
// there until its folder is listed.
void list_folder(const std::filesystem::path& folder);

}  // namespace qbitopt
