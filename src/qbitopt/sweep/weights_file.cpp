#include "qbitopt/sweep/weights_file.h"

#include <algorithm>
#include <cstring>
#include <fstream>

#include "qbitopt/core/json.h"

namespace qbitopt {
namespace {

// Of all tensors, counted from the end of the header; -1 if the header is none.
int64_t end_of_tensors(const Json& header) {
  int64_t last = 0;
  try {
    for (const auto& [name, entry] : header.items()) {
      if (name != "__metadata__")
        last = std::max(last, entry.at("data_offsets").at(1).get<int64_t>());
    }
  } catch (const Json::exception&) {
    return -1;
  }
  return last;
}

// A zip file ends with its directory's place (22 bytes; torch.save adds no comment).
std::string fault_of_zip(std::ifstream& stream, uint64_t size) {
  char end[4] = {};
  stream.seekg(-22, std::ios::end);
  if (stream.read(end, sizeof(end)) && std::memcmp(end, "PK\x05\x06", 4) == 0) return "";
  return "is cut off: it begins as a zip file and does not end as one; the file has " +
         std::to_string(size) + " bytes";
}

}  // namespace

// safetensors: 8 bytes with the length of a JSON header (little-endian), the header, the values.
std::string fault_of_weights(const std::filesystem::path& file,
                             const std::filesystem::path& converted) {
  const uint64_t size = std::filesystem::file_size(file);
  const std::string found = "; the file has " + std::to_string(size) + " bytes";
  std::ifstream stream(file, std::ios::binary);
  char begin[8] = {};
  if (size < 10 || !stream.read(begin, sizeof(begin))) return "holds no weights" + found;
  if (std::memcmp(begin, "PK\x03\x04", 4) == 0) return fault_of_zip(stream, size);
  if (begin[0] == '\x80' && stream.peek() != '{') {
    return "is a pickle as PyTorch wrote it before version 1.6, which is not read here; convert "
           "it: "
           ".venv/bin/python tools/convert_weights.py " +
           file.string() + " " + converted.string();
  }
  uint64_t header_size = 0;
  std::memcpy(&header_size, begin, sizeof(header_size));
  if (header_size < 2 || header_size > size - 8) {
    return "is neither safetensors nor PyTorch's zip, or was cut off: its header would have " +
           std::to_string(header_size) + " bytes" + found;
  }
  std::string text(header_size, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(header_size));
  const Json header = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  const int64_t end = header.is_object() ? end_of_tensors(header) : -1;
  if (end < 0) return "has a safetensors header that cannot be read" + found;
  const uint64_t expected = 8 + header_size + static_cast<uint64_t>(end);
  if (size < expected)
    return "is cut off: its tensors need " + std::to_string(expected) + " bytes" + found;
  return "";
}

}  // namespace qbitopt
