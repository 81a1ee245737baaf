// Lists a file as a tar archive, the sums of its headers put right. Ends the program if a mistake in
// it is not an InputError, or if a member lies outside of the archive or has another's name.
#include <cstdio>
#include <cstring>
#include <set>
#include <vector>

#include "files/fuzz/memory_file.h"
#include "qbitopt/core/error.h"
#include "qbitopt/files/tar_file.h"

namespace qbitopt {
namespace {

void require(bool is_true, const char* what) {
  if (is_true) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

// Of every block that could be a header; that others change is no harm.
void mend_checksums(std::vector<uint8_t>& file) {
  constexpr size_t kBlock = 512, kAt = 148, kSize = 8;
  for (size_t begin = 0; begin + kBlock <= file.size(); begin += kBlock) {
    uint8_t* header = file.data() + begin;
    if (std::memcmp(header + 257, "ustar", 5) != 0) continue;
    std::memset(header + kAt, ' ', kSize);
    unsigned sum = 0;
    for (size_t i = 0; i < kBlock; ++i) sum += header[i];
    std::snprintf(reinterpret_cast<char*>(header) + kAt, kSize, "%06o", sum);
  }
}

void try_tar(const std::vector<uint8_t>& bytes) {
  const MemoryFile file(bytes.data(), bytes.size());
  std::vector<TarMember> members;
  try {
    members = list_tar(file.path());
  } catch (const InputError&) {
    return;
  }
  std::set<std::string> names;
  for (const TarMember& member : members) {
    require(names.insert(member.name).second, "a name twice");
    require(member.offset >= 0 && member.bytes >= 0 &&
                member.offset + member.bytes <= static_cast<int64_t>(bytes.size()),
            "a member outside of the archive");
  }
}

}  // namespace
}  // namespace qbitopt

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::vector<uint8_t> file(data, data + size);
  qbitopt::try_tar(file);
  qbitopt::mend_checksums(file);
  qbitopt::try_tar(file);
  return 0;
}
