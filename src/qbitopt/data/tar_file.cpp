#include "qbitopt/data/tar_file.h"

#include <array>
#include <charconv>
#include <fstream>
#include <string_view>

#include "qbitopt/core/error.h"

namespace qbitopt {
namespace {

constexpr int64_t kBlock = 512;
using Block = std::array<char, kBlock>;

// A field of a header: text up to its first zero.
std::string_view field(const Block& header, size_t offset, size_t size) {
  const std::string_view all(header.data() + offset, size);
  return all.substr(0, all.find('\0'));
}

// -1 for anything but digits.
int64_t whole_number(std::string_view digits, int base) {
  int64_t value = -1;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  return error == std::errc() && end == digits.data() + digits.size() ? value : -1;
}

// Octal digits among spaces; or, where the first bit is set, a big-endian binary number (GNU, from
// 8 GiB on). -1: neither.
int64_t number(const Block& header, size_t offset, size_t size) {
  if (static_cast<unsigned char>(header[offset]) & 0x80) {
    int64_t value = static_cast<unsigned char>(header[offset]) & 0x7f;
    for (size_t i = 1; i < size; ++i) {
      if (value >> 54) return -1;
      value = value << 8 | static_cast<unsigned char>(header[offset + i]);
    }
    return value;
  }
  std::string_view digits = field(header, offset, size);
  while (digits.starts_with(' ')) digits.remove_prefix(1);
  while (digits.ends_with(' ')) digits.remove_suffix(1);
  return digits.empty() ? 0 : whole_number(digits, /*base=*/8);
}

// By gzip, bzip2, xz or zstd.
bool is_compressed(const Block& header) {
  const std::string_view start(header.data(), 4);
  return start.starts_with("\x1f\x8b") || start.starts_with("BZh") ||
         start.starts_with("\3757zX") ||  // octal, as the 7 would belong to a hexadecimal one
         start == "\x28\xb5\x2f\xfd";
}

bool checksum_holds(const Block& header) {
  constexpr size_t kAt = 148, kSize = 8;  // counted as spaces
  int64_t sum = 0;
  for (size_t i = 0; i < header.size(); ++i)
    sum += i >= kAt && i < kAt + kSize ? ' ' : static_cast<unsigned char>(header[i]);
  return sum == number(header, kAt, kSize);
}

// A pax record is "<length> <key>=<value>\n"; the length counts the whole record. Empty without
// such a key.
std::string pax_value(std::string_view records, std::string_view key) {
  while (!records.empty()) {
    size_t length = 0;
    const auto [end, error] =
        std::from_chars(records.data(), records.data() + records.size(), length);
    const auto digits = static_cast<size_t>(end - records.data());
    if (error != std::errc() || length <= digits + 1 || length > records.size()) return "";
    const std::string_view record = records.substr(digits + 1, length - digits - 2);
    const size_t equals = record.find('=');
    if (record.substr(0, equals) == key && equals != std::string_view::npos)
      return std::string(record.substr(equals + 1));
    records.remove_prefix(length);
  }
  return "";
}

class TarReader {
 public:
  explicit TarReader(const std::filesystem::path& file)
      : file_(file), stream_(file, std::ios::binary) {
    if (!stream_) throw InputError(file.string() + ": cannot be opened");
  }

  // The archive that begins at `begin` and lies within the first `end` bytes.
  void list(int64_t begin, int64_t end, const std::string& folder,
            std::vector<TarMember>& members) {
    std::string long_name, pax;
    for (int64_t at = begin; at < end;) {
      if (at + kBlock > end) refuse(at, "no header of a tar archive; is the file whole?");
      Block header;
      read(at, header.data(), kBlock);
      if (header[0] == '\0' && number(header, 148, 8) == 0) return;  // the end: a block of zeros
      if (!checksum_holds(header)) {
        refuse(at, at == 0 && is_compressed(header)
                       ? "is compressed, so no image in it can be found without reading all before "
                         "it; unpack it to a .tar"
                       : "no header of a tar archive; is the file whole?");
      }
      const std::string pax_size = pax_value(pax, "size");
      const int64_t bytes =
          pax_size.empty() ? number(header, 124, 12) : whole_number(pax_size, /*base=*/10);
      const int64_t data = at + kBlock;
      if (bytes < 0 || bytes > end - data)
        refuse(at, "a member goes beyond the end of the archive; the file is cut off");
      const char type = header[156];
      if (type == 'L' || type == 'x') {  // say the next member's name: GNU's way, POSIX's way
        std::string& text = type == 'L' ? long_name : pax;
        text.resize(static_cast<size_t>(bytes));
        read(data, text.data(), bytes);
        if (type == 'L') text = text.substr(0, text.find('\0'));
      } else {
        std::string name = pax_value(pax, "path");
        if (name.empty()) name = long_name;
        if (name.empty()) name = short_name(header);
        while (name.starts_with("./")) name.erase(0, 2);
        if (type == '0' || type == '\0') add(folder + name, data, bytes, members);
        long_name.clear();
        pax.clear();
      }
      at = data + (bytes + kBlock - 1) / kBlock * kBlock;
    }
  }

  int64_t size() {
    stream_.seekg(0, std::ios::end);
    return stream_.tellg();
  }

 private:
  void add(const std::string& name, int64_t data, int64_t bytes, std::vector<TarMember>& members) {
    if (name.ends_with(".tar")) {
      list(data, data + bytes, name + "/", members);
    } else {
      members.push_back({name, data, bytes});
    }
  }

  static std::string short_name(const Block& header) {
    const std::string_view prefix =
        field(header, 257, 6) == "ustar" ? field(header, 345, 155) : std::string_view();
    const std::string name(field(header, 0, 100));
    return prefix.empty() ? name : std::string(prefix) + "/" + name;
  }

  void read(int64_t at, char* target, int64_t bytes) {
    stream_.seekg(at);
    if (!stream_.read(target, bytes)) refuse(at, "cannot be read");
  }

  [[noreturn]] void refuse(int64_t at, const std::string& what) const {
    throw InputError(file_.string() + ": at byte " + std::to_string(at) + ": " + what);
  }

  std::filesystem::path file_;
  std::ifstream stream_;
};

}  // namespace

std::vector<TarMember> list_tar(const std::filesystem::path& file) {
  TarReader reader(file);
  std::vector<TarMember> members;
  reader.list(0, reader.size(), "", members);
  return members;
}

}  // namespace qbitopt
