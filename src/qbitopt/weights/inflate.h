#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace qbitopt {

// Unpacks raw DEFLATE data (RFC 1951) as zip files hold it, of exactly `size` bytes. Throws
// BadWeights if it is damaged, or of another size; a size that no such data can have costs nothing.
std::string inflate(std::string_view deflated, uint64_t size);

}  // namespace qbitopt
