#include "qbitopt/files/tar_file.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <string_view>
#include <unordered_map>

#include "qbitopt/core/error.h"
#include "qbitopt/files/readable_file.h"

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

// The sum of a header's bytes, its own field counted as spaces; some writers' bytes are signed.
bool checksum_holds(const Block& header) {
  constexpr size_t kAt = 148, kSize = 8;
  int64_t sum = 0, signed_sum = 0;
  for (size_t i = 0; i < header.size(); ++i) {
    const char byte = i >= kAt && i < kAt + kSize ? ' ' : header[i];
    sum += static_cast<unsigned char>(byte);
    signed_sum += static_cast<signed char>(byte);
  }
  const int64_t expected = number(header, kAt, kSize);
  return sum == expected || signed_sum == expected;
}

bool is_zero(const Block& block) {
  return std::all_of(block.begin(), block.end(), [](char byte) { return byte == 0; });
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

// Types of members that have no content, whatever their header says: links, devices, folders, pipes.
bool has_content(char type) { return type < '1' || type > '6'; }

// What says something about the next member or the archive, or is a folder: no file.
bool is_no_file(char type) {
  return std::string_view("3456gVND").find(type) != std::string_view::npos;
}

std::string without_dots(std::string name) {
  while (name.starts_with("./")) name.erase(0, 2);
  return name;
}

class TarReader {
 public:
  explicit TarReader(const std::filesystem::path& file) : file_(file) {
    if (const std::string fault = fault_of_file(file); !fault.empty())
      throw InputError(file.string() + ": " + fault);
    stream_.open(file, std::ios::binary);
    if (!stream_) throw InputError(file.string() + ": cannot be opened");
    stream_.seekg(0, std::ios::end);
    size_ = stream_.tellg();
  }

  std::vector<TarMember> list() {
    list(0, size_, "", /*depth=*/0);
    return std::move(members_);
  }

  void expect_archive() {
    Block header;
    read_header(0, size_, header);
  }

 private:
  // A member whose content is another's.
  struct Link {
    size_t member;
    std::string target;  // a member's name
  };
  // What comes before a member and is said of it.
  struct Extension {
    std::string long_name, long_target, pax;
  };

  // The archive that begins at `begin` and ends before `end`. Archives that were joined (by cat)
  // have zeros between them; zeros elsewhere, or many of them, are what a broken download left.
  void list(int64_t begin, int64_t end, const std::string& folder, int depth) {
    constexpr int64_t kMostZeros = 1 << 20;  // bytes; the longest record that writers fill up
    if (depth > 8) refuse(begin, "archives within archives, too deep");
    const size_t first = members_.size();
    std::vector<Link> links;
    Extension extension;
    int64_t zeros = 0;
    for (int64_t at = begin; at < end || zeros == 0;) {
      Block header;
      if (zeros > 0 && at + kBlock > end) break;
      if (!read_header(at, end, header)) {
        zeros += kBlock;
        at += kBlock;
        if (zeros > kMostZeros) refuse(at, "nothing but zeros; is the file whole?");
        continue;
      }
      zeros = 0;
      at = read_member(at, end, header, folder, depth, extension, links);
    }
    resolve(links, first);
    keep_last(first);
  }

  // False: a block of zeros.
  bool read_header(int64_t at, int64_t end, Block& header) {
    if (at == end && at == 0) throw InputError(file_.string() + ": is empty, no tar archive");
    if (at == end)
      refuse(at, "the archive ends without the zeros that mark its end; is the file whole?");
    if (at + kBlock > end) refuse(at, "no header of a tar archive; is the file whole?");
    read(at, header.data(), kBlock);
    if (is_zero(header)) return false;
    if (!checksum_holds(header)) {
      refuse(at, at == 0 && is_compressed(header)
                     ? "is compressed, so no image in it can be found without reading all before "
                       "it; unpack it to a .tar"
                     : "no header of a tar archive; is the file whole?");
    }
    return true;
  }

  // Returns where the next header is.
  int64_t read_member(int64_t at, int64_t end, const Block& header, const std::string& folder,
                      int depth, Extension& extension, std::vector<Link>& links) {
    const char type = header[156];
    const std::string pax_size = pax_value(extension.pax, "size");
    const int64_t said =
        pax_size.empty() ? number(header, 124, 12) : whole_number(pax_size, /*base=*/10);
    const int64_t bytes = has_content(type) ? said : 0;
    int64_t data = at + kBlock;
    if (type == 'S') data = after_sparse_map(header, data, end);
    if (bytes < 0 || bytes > end - data)
      refuse(at, "a member goes beyond the end of the archive; the file is cut off");
    const int64_t next = data + (bytes + kBlock - 1) / kBlock * kBlock;
    switch (type) {
      case 'L':
        extension.long_name = read_text(at, data, bytes).c_str();  // up to its first zero
        return next;
      case 'K':
        extension.long_target = read_text(at, data, bytes).c_str();
        return next;
      case 'x':
      case 'X':
        extension.pax = read_text(at, data, bytes);
        return next;
    }
    const std::string name = folder + name_of(header, extension);
    const bool is_sparse = type == 'S' || extension.pax.find("GNU.sparse.") != std::string::npos;
    if (type == '1' || type == '2') {
      links.push_back({members_.size(), folder + target_of(header, extension, type == '2')});
      members_.push_back({name, data, 0, "is a link to what is no file of the archive"});
    } else if (is_sparse) {
      members_.push_back({name, data, bytes, "is stored sparse; pack it without --sparse"});
    } else if (type == 'M') {
      members_.push_back({name, data, bytes, "begins in another volume of the archive"});
    } else if (!is_no_file(type) && !name.ends_with('/')) {
      if (name.ends_with(".tar")) {
        list(data, data + bytes, name + "/", depth + 1);
      } else {
        members_.push_back({name, data, bytes});
      }
    }
    extension = {};
    return next;
  }

  // GNU's sparse files: a header that is not large enough for the map of holes goes on in blocks.
  int64_t after_sparse_map(const Block& header, int64_t at, int64_t end) {
    for (bool goes_on = header[482] != 0; goes_on; at += kBlock) {
      if (at + kBlock > end) refuse(at, "a map of holes goes beyond the end of the archive");
      Block map;
      read(at, map.data(), kBlock);
      goes_on = map[504] != 0;
    }
    return at;
  }

  static std::string name_of(const Block& header, const Extension& extension) {
    for (const char* key : {"GNU.sparse.name", "path"}) {
      if (std::string name = pax_value(extension.pax, key); !name.empty())
        return without_dots(std::move(name));
    }
    if (!extension.long_name.empty()) return without_dots(extension.long_name);
    const std::string_view prefix =
        field(header, 257, 6) == "ustar" ? field(header, 345, 155) : std::string_view();
    const std::string name(field(header, 0, 100));
    return without_dots(prefix.empty() ? name : std::string(prefix) + "/" + name);
  }

  // A hard link names a member; a symbolic one goes from the folder it lies in.
  static std::string target_of(const Block& header, const Extension& extension, bool is_symbolic) {
    std::string target = pax_value(extension.pax, "linkpath");
    if (target.empty()) target = extension.long_target;
    if (target.empty()) target = field(header, 157, 100);
    if (!is_symbolic) return without_dots(target);
    const std::filesystem::path from = name_of(header, extension);
    return (from.parent_path() / target).lexically_normal().generic_string();
  }

  std::unordered_map<std::string_view, size_t> places(size_t first) const {
    std::unordered_map<std::string_view, size_t> places;
    for (size_t i = first; i < members_.size(); ++i) places[members_[i].name] = i;
    return places;
  }

  // Gives links the content of what they lead to, over other links where need be.
  void resolve(const std::vector<Link>& links, size_t first) {
    if (links.empty()) return;
    constexpr int kMostSteps = 40;  // as the kernel's
    const auto place = places(first);
    std::unordered_map<size_t, const Link*> link_at;
    for (const Link& link : links) link_at[link.member] = &link;
    for (const Link& link : links) {
      const Link* step = &link;
      for (int i = 0; i < kMostSteps && step; ++i) {
        const auto found = place.find(step->target);
        if (found == place.end()) break;
        const auto further = link_at.find(found->second);
        step = further == link_at.end() ? nullptr : further->second;
        if (step) continue;
        const TarMember& target = members_[found->second];
        TarMember& member = members_[link.member];
        member.offset = target.offset;
        member.bytes = target.bytes;
        member.fault = target.fault;
      }
    }
  }

  // Of members with one name the last counts, as it does when an archive is unpacked.
  void keep_last(size_t first) {
    const auto place = places(first);
    if (place.size() == members_.size() - first) return;
    std::vector<TarMember> kept;
    for (size_t i = first; i < members_.size(); ++i) {
      if (place.at(members_[i].name) == i) kept.push_back(members_[i]);
    }
    members_.resize(first);
    members_.insert(members_.end(), kept.begin(), kept.end());
  }

  // Of a header that only says something about the next.
  std::string read_text(int64_t at, int64_t data, int64_t bytes) {
    constexpr int64_t kMostText = 1 << 20;
    if (bytes > kMostText) refuse(at, "a name of " + std::to_string(bytes) + " bytes");
    std::string text(static_cast<size_t>(bytes), '\0');
    read(data, text.data(), bytes);
    return text;
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
  int64_t size_ = 0;
  std::vector<TarMember> members_;
};

}  // namespace

std::vector<TarMember> list_tar(const std::filesystem::path& file) {
  return TarReader(file).list();
}

void expect_tar(const std::filesystem::path& file) { TarReader(file).expect_archive(); }

}  // namespace qbitopt
