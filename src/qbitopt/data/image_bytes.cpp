#include "qbitopt/data/image_bytes.h"

#include <fstream>
#include <string>
#include <vector>

#include "qbitopt/data/image_file.h"
#include "qbitopt/files/readable_file.h"

namespace qbitopt {

std::span<const uint8_t> read_image(const std::filesystem::path& root, const LabeledFile& file) {
  constexpr int64_t kMostBytes = int64_t{1} << 30;
  thread_local std::vector<uint8_t> bytes;
  if (file.fault) throw BadImage(file.fault);
  const bool is_member = file.bytes >= 0;
  const auto path =
      root / (is_member ? file.path.substr(0, file.path.find(".tar/") + 4) : file.path);
  if (const std::string fault = fault_of_file(path); !fault.empty()) throw BadImage(fault);
  std::ifstream stream(path, std::ios::binary | std::ios::ate);
  if (!stream) throw BadImage("cannot be opened");
  const int64_t size = is_member ? file.bytes : static_cast<int64_t>(stream.tellg());
  if (size > kMostBytes)
    throw BadImage("has " + std::to_string(size) + " bytes; no image has more than a gigabyte");
  bytes.resize(static_cast<size_t>(size));
  stream.seekg(file.offset);
  stream.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!stream) throw BadImage("cannot be read to its end");
  return bytes;
}

}  // namespace qbitopt
