#pragma once

#include <cstdint>

#include "qbitopt/quant/torch.h"

namespace qbitopt {

// Reads a buffer of one integer without waiting for the device each time: only after it was written
// to, or replaced by the loader of a checkpoint.
class CachedInteger {
 public:
  int read(const torch::Tensor& buffer) const {
    const auto version = static_cast<int64_t>(buffer._version());
    if (version_ != version || at_ != buffer.const_data_ptr()) {
      value_ = buffer.item<int>();
      version_ = version;
      at_ = buffer.const_data_ptr();
    }
    return value_;
  }

 private:
  mutable int value_ = 0;  // what the buffer held at this version and place
  mutable int64_t version_ = -1;
  mutable const void* at_ = nullptr;
};

}  // namespace qbitopt
