#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace qbitopt {

// SHA-256, as 64 hexadecimal digits.
std::string sha256(std::string_view bytes);

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
