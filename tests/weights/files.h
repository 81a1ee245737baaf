#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

// Files of weights for tests, byte by byte.
namespace qbitopt::weight_files {

template <typename Number>
std::string bytes(Number number) {
  return {reinterpret_cast<const char*>(&number), sizeof(number)};
}

inline std::string safetensors(const std::string& header, const std::string& values) {
  return bytes(uint64_t{header.size()}) + header + values;
}

// DEFLATE's blocks that are not compressed.
inline std::string deflated(const std::string& content) {
  constexpr size_t kMost = 65535;
  std::string packed;
  for (size_t at = 0; at == 0 || at < content.size(); at += kMost) {
    const std::string part = content.substr(at, kMost);
    const auto size = static_cast<uint16_t>(part.size());
    const bool is_last = at + kMost >= content.size();
    packed += std::string(1, is_last ? '\x01' : '\0') + bytes(size) +
              bytes(static_cast<uint16_t>(~size)) + part;
  }
  return packed;
}

// The fields that zip readers need; no checksums, as torch.save can be told to write. `method`: 8 for
// DEFLATE.
inline std::string zip_file(const std::map<std::string, std::string>& entries,
                            uint16_t method = 0) {
  std::string file, directory;
  for (const auto& [name, unpacked] : entries) {
    const std::string content = method == 8 ? deflated(unpacked) : unpacked;
    const std::string sizes = bytes(uint32_t{0}) + bytes(static_cast<uint32_t>(content.size())) +
                              bytes(static_cast<uint32_t>(unpacked.size())) +
                              bytes(static_cast<uint16_t>(name.size())) + bytes(uint16_t{0});
    const std::string begin = bytes(uint16_t{0}) + bytes(method) + bytes(uint32_t{0});
    directory += "PK\x01\x02" + bytes(uint32_t{0}) + begin + sizes + bytes(uint16_t{0}) +
                 bytes(uint64_t{0}) + bytes(static_cast<uint32_t>(file.size())) + name;
    file += "PK\x03\x04" + bytes(uint16_t{0}) + begin + sizes + name + content;
  }
  const auto count = static_cast<uint16_t>(entries.size());
  return file + directory + "PK\x05\x06" + bytes(uint32_t{0}) + bytes(count) + bytes(count) +
         bytes(static_cast<uint32_t>(directory.size())) +
         bytes(static_cast<uint32_t>(file.size())) + bytes(uint16_t{0});
}

// Instructions of a pickle, protocol 2.
inline std::string text(const std::string& value) {
  return "X" + bytes(static_cast<uint32_t>(value.size())) + value;
}
inline std::string number(int32_t value) { return "J" + bytes(value); }
inline std::string numbers(const std::vector<int32_t>& values) {
  std::string tuple = "(";
  for (const int32_t value : values) tuple += number(value);
  return tuple + "t";
}
inline std::string dictionary(const std::vector<std::pair<std::string, std::string>>& items) {
  std::string pickle = "}(";
  for (const auto& [key, value] : items) pickle += text(key) + value;
  return pickle + "u";
}
inline std::string tensor(const std::vector<int32_t>& shape, const std::vector<int32_t>& strides,
                          int32_t offset = 0, const std::string& storage = "0",
                          const std::string& type = "torch\nFloatStorage") {
  return "ctorch._utils\n_rebuild_tensor_v2\n((" + text("storage") + "c" + type + "\n" +
         text(storage) + text("cpu") + number(6) + "tQ" + number(offset) + numbers(shape) +
         numbers(strides) + "\x89}tR";
}

// As torch.save writes it: the pickle and the values of storages "0", "1", ...
inline std::string torch_file(const std::string& pickle,
                              const std::vector<std::string>& storages = {std::string(24, '\0')}) {
  std::map<std::string, std::string> entries = {{"net/data.pkl", "\x80\x02" + pickle + "."}};
  for (size_t i = 0; i < storages.size(); ++i)
    entries["net/data/" + std::to_string(i)] = storages[i];
  return zip_file(entries);
}

}  // namespace qbitopt::weight_files
