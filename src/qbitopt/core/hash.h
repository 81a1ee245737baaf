#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace qbitopt {

// SHA-256, as 64 hexadecimal digits.
std::string sha256(std::string_view bytes);
// Of a file's content. Throws InputError if it cannot be read.
std::string sha256_of_file(const std::filesystem::path& file);

// The first ten digits of a job's key, which stand for it wherever people read or write it.
std::string short_key(const std::string& key);

// The same over bytes that arrive in pieces.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  void update(const void* bytes, size_t size);
  void update(std::string_view bytes) { update(bytes.data(), bytes.size()); }
  // Call once.
  std::string hex_digest();

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

}  // namespace qbitopt
