#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace qbitopt {

// A file inside of an archive, uncompressed: `bytes` bytes from `offset` of the archive on.
struct TarMember {
  std::string name;  // "n01440764/a.JPEG"; of an archive within the archive "n01440764.tar/a.JPEG"
  int64_t offset = 0;
  int64_t bytes = 0;
  const char* fault = nullptr;  // why its content is not to be had; null: it is
};

// The files of a tar archive (ustar, GNU or pax), in the archive's order; archives within it are
// opened too, and links to files that the archive holds are files like any other. Folders, devices
// and the like are left out. Reads headers alone. Throws InputError for one that is compressed, cut
// off or damaged: which file, at which byte.
std::vector<TarMember> list_tar(const std::filesystem::path& file);

// The same for the first header alone: is it an archive at all?
void expect_tar(const std::filesystem::path& file);

}  // namespace qbitopt
