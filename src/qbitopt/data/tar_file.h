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
};

// The regular files of a tar archive (ustar, GNU or pax), in the archive's order; archives within
// it are opened too. Reads headers alone. Throws InputError for one that is compressed, cut off or
// damaged: which file, at which byte.
std::vector<TarMember> list_tar(const std::filesystem::path& file);

}  // namespace qbitopt
