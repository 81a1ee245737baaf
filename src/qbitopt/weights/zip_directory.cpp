#include "qbitopt/weights/zip_directory.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cstring>

#include "qbitopt/weights/inflate.h"

// Records and their fields: "APPNOTE.TXT - .ZIP File Format Specification" of PKWARE, 4.3. The
// libraries that read zip files want a copy of each entry; here its place is what is asked for.
namespace qbitopt {
namespace {

constexpr uint16_t kDeflated = 8;           // method of compression
constexpr uint32_t kIn64Bits = 0xffffffff;  // the field's value stands in a record of zip64

[[noreturn]] void refuse_zip(const std::string& what) {
  throw BadWeights("is a damaged zip file: " + what);
}

std::string_view bytes_at(std::string_view bytes, uint64_t at, uint64_t size) {
  if (at > bytes.size() || size > bytes.size() - at) refuse_zip("a record lies beyond its end");
  return bytes.substr(at, size);
}

template <typename Number>
Number number_at(std::string_view bytes, uint64_t at) {
  Number number;
  std::memcpy(&number, bytes_at(bytes, at, sizeof(number)).data(), sizeof(number));
  return number;
}

// Where the directory begins, and how many entries it has.
struct Directory {
  uint64_t begin = 0, entries = 0;
};

Directory find_directory(std::string_view archive) {
  constexpr uint64_t kEndSize = 22, kLongestComment = 65535, kLocatorSize = 20;
  const uint64_t tail_size = std::min<uint64_t>(archive.size(), kEndSize + kLongestComment);
  const std::string_view tail = archive.substr(archive.size() - tail_size);
  const size_t found = tail.rfind("PK\x05\x06");
  if (found == std::string_view::npos || tail.size() - found < kEndSize) {
    throw BadWeights(
        fmt::format("is cut off: it begins as a zip file and does not end as one; the file has {} "
                    "bytes",
                    archive.size()));
  }
  const uint64_t end = archive.size() - tail_size + found;
  Directory directory{number_at<uint32_t>(archive, end + 16),
                      number_at<uint16_t>(archive, end + 10)};
  if (end < kLocatorSize) return directory;
  const uint64_t locator = end - kLocatorSize;
  if (!archive.substr(locator).starts_with("PK\x06\x07")) return directory;
  const auto end64 = number_at<uint64_t>(archive, locator + 8);
  if (bytes_at(archive, end64, 4) != "PK\x06\x06") refuse_zip("its end in 64 bits is not there");
  return {number_at<uint64_t>(archive, end64 + 48), number_at<uint64_t>(archive, end64 + 32)};
}

// Replaces the fields that do not fit 32 bits by those of the extra field with number 1.
void read_64_bits(std::string_view extra, std::initializer_list<uint64_t*> fields) {
  while (extra.size() >= 4) {
    const auto number = number_at<uint16_t>(extra, 0), size = number_at<uint16_t>(extra, 2);
    const std::string_view values = bytes_at(extra, 4, size);
    uint64_t at = 0;
    for (uint64_t* field : fields) {
      if (number != 1 || *field != kIn64Bits) continue;
      *field = number_at<uint64_t>(values, at);
      at += sizeof(*field);
    }
    extra.remove_prefix(4 + size_t{size});
  }
}

}  // namespace

std::map<std::string, ZipEntry> read_zip_directory(std::string_view archive) {
  constexpr uint64_t kHeaderSize = 46, kLocalHeaderSize = 30;
  const Directory directory = find_directory(archive);
  std::map<std::string, ZipEntry> entries;
  uint64_t at = directory.begin;
  for (uint64_t i = 0; i < directory.entries; ++i) {
    if (bytes_at(archive, at, 4) != "PK\x01\x02") refuse_zip("its directory ends too early");
    const auto flags = number_at<uint16_t>(archive, at + 8);
    const auto method = number_at<uint16_t>(archive, at + 10);
    const auto crc32 = number_at<uint32_t>(archive, at + 16);
    uint64_t packed_size = number_at<uint32_t>(archive, at + 20);
    uint64_t size = number_at<uint32_t>(archive, at + 24);
    const auto name_size = number_at<uint16_t>(archive, at + 28);
    const auto extra_size = number_at<uint16_t>(archive, at + 30);
    const auto comment_size = number_at<uint16_t>(archive, at + 32);
    uint64_t local = number_at<uint32_t>(archive, at + 42);
    const std::string name(bytes_at(archive, at + kHeaderSize, name_size));
    read_64_bits(bytes_at(archive, at + kHeaderSize + name_size, extra_size),
                 {&size, &packed_size, &local});
    at += kHeaderSize + name_size + extra_size + comment_size;

    if (bytes_at(archive, local, 4) != "PK\x03\x04") refuse_zip("'" + name + "' is not there");
    const uint64_t begin = local + kLocalHeaderSize + number_at<uint16_t>(archive, local + 26) +
                           number_at<uint16_t>(archive, local + 28);
    bytes_at(archive, begin, packed_size);
    ZipEntry entry{{begin, packed_size}, method == 0 && (flags & 1) == 0};
    if (entry.is_plain && size != packed_size) refuse_zip("'" + name + "' has two sizes");
    if (method == kDeflated && (flags & 1) == 0) {
      entry.content.size = size;
      entry.content.packed_size = packed_size;
    }
    if (crc32 != 0) entry.content.crc32 = crc32;  // torch.save can leave them out
    entries.insert_or_assign(name, entry);
  }
  return entries;
}

std::string unpack(std::string_view archive, const StoredValues& content) {
  const std::string_view bytes =
      bytes_at(archive, content.begin, content.packed_size.value_or(content.size));
  std::string unpacked = content.packed_size ? inflate(bytes, content.size) : std::string(bytes);
  const auto* data = reinterpret_cast<const Bytef*>(unpacked.data());
  if (content.crc32 && ::crc32_z(0, data, unpacked.size()) != *content.crc32) {
    throw BadWeights(
        fmt::format("is damaged: the checksum of its bytes {} to {} is not the one in it",
                    content.begin, content.begin + bytes.size()));
  }
  return unpacked;
}

}  // namespace qbitopt
